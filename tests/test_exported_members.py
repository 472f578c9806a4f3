"""The public names, in one list."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bigviz

NAMES = [
    "BadInput",
    "BigvizError",
    "Busy",
    "Cancelled",
    "Canvas",
    "Conflict",
    "Connection",
    "Dataset",
    "Document",
    "Figure",
    "Forbidden",
    "Gone",
    "NoSpace",
    "NotFound",
    "OutOfDate",
    "TooLarge",
    "TooMany",
    "Unauthorized",
    "Unplottable",
    "Unreadable",
    "any",
    "button",
    "by",
    "checkbox",
    "column",
    "connect",
    "count",
    "count_cat",
    "date_range",
    "document",
    "embed",
    "figure",
    "first",
    "grid",
    "last",
    "link",
    "load",
    "markdown",
    "max",
    "mean",
    "min",
    "multiselect",
    "number",
    "on_close",
    "on_open",
    "open",
    "radio",
    "range_slider",
    "row",
    "select",
    "serve",
    "show",
    "slider",
    "sum",
    "table",
    "tabs",
    "text_input",
]


def test_the_public_names():
    assert bigviz.__all__ == NAMES
    assert set(NAMES) <= set(dir(bigviz))


@pytest.mark.parametrize("name", NAMES)
def test_each_is_there_and_says_what_it_is(name: str):
    found = getattr(bigviz, name)
    assert found is getattr(bigviz, name) and found.__doc__


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        bigviz.nonsense  # noqa: B018


def test_document_can_be_called_whichever_of_its_modules_were_loaded_before():
    code = (
        "import bigviz.document.spec, bigviz.server.run.serve, bigviz as bv, pyarrow as pa;"
        "print(bv.document(bv.figure().points(pa.table({'x': [1.0], 'y': [1.0]}), 'x', 'y'), id='a').id)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "a"
    )


def test_importing_loads_nothing():
    heavy = {"numpy", "pyarrow", "numba", "tornado"}
    code = f"import bigviz, sys; print(sorted({{m.split('.')[0] for m in sys.modules}} & {heavy}))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_the_version_is_the_packages():
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    assert bigviz.__version__ == project["version"]
