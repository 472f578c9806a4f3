"""The dashboards of examples/: short, and each one document that can be drawn."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import bigviz as bv
from bigviz.document.document import collected
from bigviz.document.substitute import offered

SCRIPTS = sorted((Path(__file__).parents[1] / "examples" / "dashboards").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_dashboard_is_short_and_makes_its_document(script: Path):
    assert len(script.read_text("utf-8").splitlines()) < 60
    with collected() as made:
        runpy.run_path(str(script))
    (document,) = made
    assert bv.load(document.to_json(), sources=document.sources) == document
    for _, layer in document.layers():
        assert list(offered(document, layer))
