"""`row`, `column` and `grid`: how figures are arranged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bigviz.common.errors import BadInput
from bigviz.document.cell_value import CellValue
from bigviz.document.figure import Figure

__all__ = ["Box", "column", "grid", "row"]


@dataclass(eq=False)
class Box(CellValue):
    """A layout of figures and of other layouts."""

    type: Literal["row", "column", "grid"]
    children: tuple[Figure | Box, ...]
    columns: int | None = None
    id: str | None = None


def row(*children: Figure | Box, id: str | None = None) -> Box:
    """Lay out figures or layouts side by side, from the left. `id` names the layout in the document."""
    return Box("row", _checked(children), id=id)


def column(*children: Figure | Box, id: str | None = None) -> Box:
    """Lay out figures or layouts one below the other, from the top. `id` names the layout in the document."""
    return Box("column", _checked(children), id=id)


def grid(*children: Figure | Box, columns: int, id: str | None = None) -> Box:
    """Lay out figures or layouts in rows of `columns`, from the top left. Raises BadInput for no columns."""
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise BadInput(f"A grid has at least 1 column, got {columns!r}.", "columns", columns)
    return Box("grid", _checked(children), columns, id)


def _checked(children: tuple[Figure | Box, ...]) -> tuple[Figure | Box, ...]:
    for child in children:
        if not isinstance(child, Figure | Box):
            raise BadInput(f"A layout holds figures and layouts, got {type(child).__name__}.", "children")
    if not children:
        raise BadInput("A layout holds at least one figure.", "children")
    return children
