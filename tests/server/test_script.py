"""Scripts as documents, and running them anew."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bigviz.data.errors import BadInput
from bigviz.server.script import script_document
from bigviz.server.watch import changes

HEAD = """
import pyarrow as pa
import bigviz as bv
table = pa.table({"x": [1.0, 2.0], "y": [1.0, 3.0]})
def plot(title):
    return bv.figure(title=title).points(table, "x", "y")
"""


def run(path: Path, text: str) -> str:
    path.write_text(HEAD + text)
    return script_document(str(path)).title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("bv.serve(plot('served'))\nbv.document(plot('after'))", "served"),
        ("bv.serve(plot('a'))\nbv.serve(bv.document(plot('b')), port=1234)", "b"),
        ("bv.document(plot('first'))\nbv.document(plot('last'))", "last"),
        ("a = plot('figure')", "figure"),
        ("a = plot('figure')\nb = bv.row(plot('row'), a)", "row"),
        ("import sys\nassert __name__ == '__main__' and sys.argv[0].endswith('app.py')\na = plot('main')", "main"),
    ],
)
def test_the_last_document_counts(tmp_path: Path, text, title):
    assert run(tmp_path / "app.py", text) == title


def test_scripts_that_make_nothing(tmp_path: Path):
    run(tmp_path / "before.py", "bv.document(plot('before'))")
    with pytest.raises(BadInput, match="makes no figure"):
        run(tmp_path / "app.py", "x = 1")


def test_mistakes_of_a_script_go_through(tmp_path: Path):
    argv, path = list(sys.argv), list(sys.path)
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "app.py", "1 / 0")
    assert (sys.argv, sys.path) == (argv, path)
    assert run(tmp_path / "app.py", "a = plot('mended')") == "mended"


def test_modules_beside_a_script_are_imported_anew(tmp_path: Path):
    module = tmp_path / "beside_a_script.py"
    module.write_text("TITLE = 'one'")
    text = "from beside_a_script import TITLE\na = plot(TITLE)"
    try:
        assert run(tmp_path / "app.py", text) == "one"
        module.write_text("TITLE = 'second'")
        assert run(tmp_path / "app.py", text) == "second"
    finally:
        sys.modules.pop("beside_a_script", None)


def test_changes_are_noticed_once_each(tmp_path: Path):
    path = tmp_path / "app.py"
    path.write_text("1")

    async def watch() -> list[str]:
        seen: list[str] = []
        found = changes(str(path), 0.01)
        waiting = asyncio.ensure_future(anext(found))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        for text in ("22", "333"):
            aside = tmp_path / "aside"
            aside.write_text(text)
            os.replace(aside, path)
            await asyncio.wait_for(waiting, 20)
            seen.append(path.read_text())
            waiting = asyncio.ensure_future(anext(found))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        waiting.cancel()
        return seen

    assert asyncio.run(watch()) == ["22", "333"]
