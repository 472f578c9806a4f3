"""`row`, `column`, `grid` and `tabs`: how figures and controls are arranged; and `link`: which figures go together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.given import given_text
from bigviz.document.cell_value import CellValue
from bigviz.document.controls.control import Control
from bigviz.document.figure import Figure
from bigviz.document.links import Link
from bigviz.document.spec import LINK_MODES, LinkMode

__all__ = ["Box", "column", "grid", "link", "row", "tabs"]


@dataclass(eq=False)
class Box(CellValue):
    """A layout of figures, controls and other layouts; `titles` are those of tabs."""

    type: Literal["row", "column", "grid", "tabs"]
    children: tuple[Figure | Box | Control, ...]
    columns: int | None = None
    id: str | None = None
    titles: tuple[str, ...] | None = None


def row(*children: Figure | Box | Control, id: str | None = None) -> Box:
    """Lay out figures, controls or layouts side by side, from the left. `id` names the layout in the document."""
    return Box("row", _checked(children), id=_id(id))


def column(*children: Figure | Box | Control, id: str | None = None) -> Box:
    """Lay out figures, controls or layouts one below the other, from the top. `id` names the layout in the document."""
    return Box("column", _checked(children), id=_id(id))


def grid(*children: Figure | Box | Control, columns: int, id: str | None = None) -> Box:
    """Lay out figures, controls or layouts in rows of `columns`, from the top left. Raises BadInput for no columns."""
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise BadInput(f"A grid has at least 1 column, got {columns!r}.", "columns", columns)
    return Box("grid", _checked(children), columns, _id(id))


def tabs(children: Mapping[str, Figure | Box | Control], *, id: str | None = None) -> Box:
    """Lay out figures, controls or layouts as tabs, of which one is shown: `children` are by title, and a click on a
    title shows its child. Raises BadInput for anything else than a mapping of them."""
    if not isinstance(children, Mapping):
        raise BadInput(f"Tabs are a mapping of titles to children, got {type(children).__name__}.", "children")
    for title in children:
        if not isinstance(title, str):
            raise BadInput(f"The title of a tab is a text, got {title!r}.", "titles", repr(title))
    return Box("tabs", _checked(tuple(children.values())), id=_id(id), titles=tuple(children))


def link(*figures: Figure | Control, mode: LinkMode = "filter") -> None:
    """Link figures: the rows of a brush that is dragged in one of them are shown in the others.

    A brush is a box over points, a range of x over a line or a histogram, and bars that are clicked. With `mode`
    "filter" the other figures show the rows of the brush alone, with "highlight" over all rows, which are dimmed.
    Brushes in several figures filter each other: a figure shows the rows of all brushes but its own. All rows are
    counted, exactly, while the brush moves. Rows that a figure's filter does not keep are in no brush there. Layers
    over other datasets than the brushed figure's first layer stay as they are. A `bv.number` among the figures is
    worked out over the rows of all brushes. A figure is in one link. Raises BadInput.
    """
    if not isinstance(mode, str) or mode not in LINK_MODES:
        raise BadInput(f"mode is one of {', '.join(LINK_MODES)}, got {echoed(mode)}.", "mode", echoed(mode))
    linked = [each for each in figures if isinstance(each, Figure)]
    numbers = [each for each in figures if isinstance(each, Control) and each.type == "number"]
    for each in figures:
        if not any(each is one for one in (*linked, *numbers)):
            kind = each.type if isinstance(each, Control) else type(each).__name__
            raise BadInput(f"A link is of figures and numbers, got {kind}.", "figures")
    for figure in linked:
        if figure.links:
            raise BadInput(f"Figure {figure.title!r} is linked already: link all that go together at once.", "figures")
    if len(linked) < 2 or len(set(map(id, figures))) < len(figures):
        raise BadInput(f"A link is of two or more different figures, got {len(linked)}.", "figures")
    made = Link(mode, list(linked), numbers)
    for figure in linked:
        figure.links.append(made)


def _checked(children: tuple[Figure | Box | Control, ...]) -> tuple[Figure | Box | Control, ...]:
    for child in children:
        if not isinstance(child, Figure | Box | Control):
            raise BadInput(f"A layout holds figures, controls and layouts, got {type(child).__name__}.", "children")
    if not children:
        raise BadInput("A layout holds at least one figure.", "children")
    return children


def _id(value: str | None) -> str | None:
    return None if value is None else given_text(value, "id")
