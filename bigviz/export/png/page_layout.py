"""Where the figures of a document lie on its page: rows, columns and grids as static/ui/page/layout.js and style.css
have them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bigviz.document.spec import FigureSpec, LayoutSpec

__all__ = ["PlacedFigure", "arranged"]

_GAP = 1  # CSS pixels between figures


@dataclass(frozen=True)
class PlacedFigure:
    """A figure's rectangle in CSS pixels; figures with one `row` stand next to each other, None: it stands alone."""

    spec: FigureSpec
    x: float
    y: float
    width: float
    height: float
    row: tuple[str, int] | None


def arranged(
    node: FigureSpec | LayoutSpec, x: float, y: float, width: float, height: float, row: tuple[str, int] | None = None
) -> Iterator[PlacedFigure]:
    """The figures of a layout within a rectangle, depth first. Those with a size of their own keep it where there is
    room; the others share the rest."""
    if isinstance(node, FigureSpec):
        own_width = min(width, node.width or width)
        yield PlacedFigure(node, x, y, own_width, min(height, node.height or height), row)
        return
    count = len(node.children)
    columns = {"row": count, "column": 1}.get(node.type) or node.columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    widths = _shared(width, [_own(node.children[at::columns], "width") for at in range(columns)])
    heights = _shared(height, [None] * rows)
    for number, child in enumerate(_boxes(node)):
        down, across = divmod(number, columns)
        place = x + sum(widths[:across]) + _GAP * across, y + sum(heights[:down]) + _GAP * down
        beside = (node.id, down) if columns > 1 else None
        yield from arranged(child, *place, widths[across], heights[down], beside)


def _boxes(node: LayoutSpec) -> Iterator[FigureSpec | LayoutSpec]:
    """The children; `figures_only` has taken the controls out."""
    for child in node.children:
        if isinstance(child, FigureSpec | LayoutSpec):
            yield child


def _own(children: Sequence[object], side: str) -> float | None:
    """The largest size of figures that all have one; None where one has none."""
    sizes = [getattr(child, side) for child in children if isinstance(child, FigureSpec)]
    return None if len(sizes) < len(children) or None in sizes else float(max(sizes, default=0))


def _shared(whole: float, own: Sequence[float | None]) -> list[float]:
    """Sizes of parts with gaps between: their own, and equal shares of the rest."""
    free = whole - _GAP * (len(own) - 1)
    rest = max(0.0, free - sum(size for size in own if size is not None))
    shares = own.count(None)
    return [min(free, size) if size is not None else rest / shares for size in own]
