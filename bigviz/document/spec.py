"""A document as data: frozen values that mirror its JSON (`bigviz.document.json` writes and reads it).

A document names its datasets and its ranges; figures refer to both by name, so figures that name one range are linked.
Nothing here holds rows, sockets or pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, get_args

from bigviz.aggregate.layer_options import AxisKind, Glyph, Root

__all__ = [
    "FORMAT", "HOWS", "LAYOUTS", "AxisSpec", "Document", "FigureSpec", "How", "LayerSpec", "LayoutSpec", "Node",
    "RangeSpec",
]  # fmt: skip

How = Literal["linear", "log", "cbrt", "eq_hist"]
Container = Literal["row", "column", "grid"]

FORMAT: Final = 1
HOWS: Final = get_args(How)
LAYOUTS: Final = get_args(Container)


@dataclass(frozen=True)
class RangeSpec:
    """The part of an axis that is shown first, in axis space; None is the data's end.

    On time axes the ends are decimal strings of nanoseconds; whole numbers beyond 2^53 are decimal strings too.
    """

    start: float | str | None = None
    end: float | str | None = None


@dataclass(frozen=True)
class AxisSpec:
    """One axis: its space, what is written at it, and for categories an order of the labels (None is the data's)."""

    kind: AxisKind = "linear"
    label: str | None = None
    unit: str | None = None
    zone: str | None = None
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True)
class LayerSpec:
    """One glyph of one dataset, and how the page colours it. `agg` is the reduction's text form."""

    id: str
    dataset: str
    glyph: Glyph
    x: str
    y: str
    agg: str
    cmap: str = "fire"
    how: How = "eq_hist"
    low: float | None = None
    high: float | None = None
    color: str | None = None
    root: Root = "default"


@dataclass(frozen=True)
class FigureSpec:
    """Axes with layers, the first layer at the bottom. `width` and `height` are CSS pixels, None is what there is."""

    id: str
    x_range: str
    y_range: str
    title: str = ""
    x_axis: AxisSpec = AxisSpec()
    y_axis: AxisSpec = AxisSpec()
    aspect: Literal["locked"] | None = None
    width: int | None = None
    height: int | None = None
    layers: tuple[LayerSpec, ...] = ()


@dataclass(frozen=True)
class LayoutSpec:
    """A row, a column, or a grid of `columns` children side by side."""

    id: str
    type: Container
    children: tuple[Node, ...]
    columns: int | None = None


Node = FigureSpec | LayoutSpec


@dataclass(frozen=True)
class Document:
    """What one address shows, frozen: made by `bigviz.document`, served by `bigviz.serve`.

    `id` is its name in the address, `layout` a tree of rows, columns, grids and figures. `sources` binds the names in
    `datasets` to open tables and is not part of the document's JSON.
    """

    id: str
    title: str
    datasets: tuple[str, ...]
    ranges: Mapping[str, RangeSpec]
    layout: Node
    sources: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    def figures(self) -> list[FigureSpec]:
        """The figures, depth first over the layout; the place of one is its number in the page and in messages."""
        return list(_figures(self.layout))

    def layers(self) -> list[tuple[FigureSpec, LayerSpec]]:
        """Every layer with its figure, depth first; the place of one is its number in the addresses of layers."""
        return [(figure, layer) for figure in self.figures() for layer in figure.layers]

    def renamed(self, name: str) -> Document:
        """The same document under another id."""
        return replace(self, id=name)


def _figures(node: Node) -> Iterator[FigureSpec]:
    if isinstance(node, FigureSpec):
        yield node
    else:
        for child in node.children:
            yield from _figures(child)
