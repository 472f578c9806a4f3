"""Where a document's figures lie in a picture of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from bigviz.document.spec import ControlNode, FigureSpec, LayoutSpec, Node

__all__ = ["Place", "figures_only", "placed"]


class Place(NamedTuple):
    """A rectangle of whole pixels, from the top left."""

    left: int
    top: int
    width: int
    height: int


def placed(node: Node, place: Place, gap: int) -> Iterator[tuple[FigureSpec, Place]]:
    """The figures of a layout with their rectangles, depth first: rows, columns and grids divide theirs evenly, with
    `gap` pixels between. A figure that gets less than a pixel is left out, as those below it in the layout are, and
    those of tabs that are behind the first. Controls take no room."""
    shown = figures_only(node, first_tab=True)
    if shown is not None:
        yield from _placed(shown, place, gap)


def figures_only(node: Node, first_tab: bool = False) -> FigureSpec | LayoutSpec | None:
    """A layout without its controls, tabs being columns, or their first child that holds a figure; None where there is
    no figure."""
    if isinstance(node, FigureSpec):
        return node
    if isinstance(node, ControlNode):
        return None
    children = tuple(each for child in node.children if (each := figures_only(child, first_tab)) is not None)
    if not children:
        return None
    if node.type == "tabs":
        return children[0] if first_tab else LayoutSpec(node.id, "column", children)
    columns = node.columns
    if columns is not None and len(children) < len(node.children):
        columns = min(columns, len(children))
    return LayoutSpec(node.id, node.type, children, columns)


def _placed(node: Node, place: Place, gap: int) -> Iterator[tuple[FigureSpec, Place]]:
    if place.width < 1 or place.height < 1:
        return
    if isinstance(node, FigureSpec):
        yield node, place
        return
    assert isinstance(node, LayoutSpec)
    count = len(node.children)
    columns = {"row": count, "column": 1, "grid": node.columns or 1}[node.type]
    rows = math.ceil(count / columns)
    for number, child in enumerate(node.children):
        row, column = divmod(number, columns)
        left, width = _part(place.width, columns, column, gap)
        top, height = _part(place.height, rows, row, gap)
        yield from _placed(child, Place(place.left + left, place.top + top, width, height), gap)


def _part(size: int, count: int, number: int, gap: int) -> tuple[int, int]:
    """Where part `number` of `count` begins, and how long it is."""
    start = number * (size + gap) // count
    return start, (number + 1) * (size + gap) // count - gap - start
