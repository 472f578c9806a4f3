"""docs/api.md is what `make docs` makes of the docstrings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bigviz as bv

from .markdown import ROOT

PAGE = ROOT / "docs" / "api.md"


def test_the_page_is_up_to_date(tmp_path: Path) -> None:
    fresh = tmp_path / "api.md"
    subprocess.run([sys.executable, ROOT / "tools" / "api_docs.py", fresh], cwd=ROOT, check=True)
    assert PAGE.read_text() == fresh.read_text(), "docs/api.md is out of date: make docs"


def test_every_public_name_has_a_heading() -> None:
    headings = [line.removeprefix("### ") for line in PAGE.read_text().splitlines() if line.startswith("### ")]
    assert sorted(headings) == bv.__all__
