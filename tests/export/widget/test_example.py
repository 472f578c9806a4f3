"""The example notebook: its cells run in a kernel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import bigviz as bv

from .test_show import Shell, displayed, shell

__all__ = ["displayed", "shell"]

NOTEBOOK = Path(__file__).parents[3] / "examples" / "notebook.ipynb"


def test_its_cells_run(shell: Shell, displayed: list[Any]):
    cells = [each["source"] for each in json.loads(NOTEBOOK.read_text())["cells"] if each["cell_type"] == "code"]
    names: dict[str, Any] = {}
    for cell in cells[:-1]:
        exec(cell, names)
    assert len(displayed) == 1
    with pytest.raises(bv.BadInput, match="look at it in a cell first"):
        exec(cells[-1], names)
