"""How what can be shown is shown as the value of a notebook's cell."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["CellValue"]

_HOME = "bigviz.export.widget.show"


class CellValue:
    """Base of figures, layouts and documents. What shows them stands above them, and is loaded by the first cell."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        return import_module(_HOME).mimebundle(self)
