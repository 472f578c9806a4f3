"""What an order or a series on disk is an order of: its columns, axis spaces and root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import BARS
from bigviz.tiles.grid.survey import Far

__all__ = ["OrderSpec", "far_of", "root_text"]

Kind = Literal["order", "series"]


@dataclass(frozen=True)
class OrderSpec:
    """The rows of two columns, in Morton order (`kind` "order") or in x order with their tree ("series").

    Axis spaces are those of `aggregate.layer_options.AXIS_KINDS`; `root` is "default" (without far rows), "full", or
    roots that are given (`root_text`), as they are for a part of a table.
    """

    x: str
    y: str
    xaxis: str = "linear"
    yaxis: str = "linear"
    root: str = "default"
    kind: Kind = "order"

    @classmethod
    def of(cls, layer: Layer) -> OrderSpec:
        """What a layer needs. A datetime axis has the numbers of a linear one, and shares its order; a histogram has
        the series of a line of its column over itself."""
        xaxis, yaxis = ("linear" if kind == "datetime" else kind for kind in (layer.xaxis, layer.yaxis))
        if layer.glyph in BARS:  # a column in its own order
            return cls(layer.x, layer.x, xaxis, xaxis, layer.root, "series")
        return cls(layer.x, layer.y, xaxis, yaxis, layer.root, "series" if layer.glyph == "line" else "order")


def root_text(roots: tuple[Root, Root]) -> str:
    """Given roots as the text of a `root`."""
    return " ".join(f"{root.multiple}:{root.exponent}" for root in roots)


def far_of(root: str) -> Far:
    """What a survey leaves out of the roots that a `root` names."""
    if root in ("default", "full"):
        return root == "default"
    x, y = (Root(*map(int, each.split(":"))) for each in root.split(" "))
    return x, y
