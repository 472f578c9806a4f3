"""docs/controls.md has an example of every control, and all of them run."""

from __future__ import annotations

from typing import Any

import pytest

from bigviz.document.controls.spec import CONTROLS

from .markdown import ROOT, listings

PAGE = ROOT / "docs" / "controls.md"
MADE_BY = {"range": "range_slider", "text": "text_input"}
LISTINGS = [each for each in listings(PAGE) if each.language == "python"]


@pytest.mark.parametrize("listing", LISTINGS, ids=str)
def test_the_page_s_code_runs(listing: Any) -> None:
    exec(compile(listing.text, str(PAGE), "exec"), {})


@pytest.mark.parametrize("kind", CONTROLS)
def test_every_control_has_an_example_under_its_heading(kind: str) -> None:
    part = PAGE.read_text("utf-8").split(f"\n## {kind.replace('_', ' ').capitalize()}\n")[1].split("\n## ")[0]
    assert f"bv.{MADE_BY.get(kind, kind)}(" in part
