"""A document as data: frozen values that mirror its JSON (`bigviz.document.json` reads it).

A document names its datasets and its ranges; figures refer to both by name, so figures that name one range are linked.
Nothing here holds rows, sockets or pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from bigviz.aggregate.layer_options import BINS, AxisKind, Glyph, Root, Sort
from bigviz.document.cell_value import CellValue
from bigviz.document.controls.spec import ControlSpec, control_to_json, with_dataset_names

__all__ = [
    "DASHES", "FORMAT", "HOWS", "LAYOUTS", "LINK_MODES", "MARKERS", "AxisSpec", "BasemapSpec", "ControlNode",
    "Dash", "Document", "FigureSpec", "How", "LayerSpec", "LayoutSpec", "LinkMode", "LinkSpec", "Marker", "Node",
    "RangeSpec", "mapped",
]  # fmt: skip

How = Literal["linear", "log", "cbrt", "eq_hist"]
Container = Literal["row", "column", "grid", "tabs"]
Dash = Literal["solid", "dashed", "dotted", "dotdash", "dashdot"]
LinkMode = Literal["filter", "highlight"]
Marker = Literal["circle", "square", "diamond", "triangle", "cross", "x"]

FORMAT: Final = 2  # 1 had neither `rows`, the axis kind "auto", nor the style of single marks and lines
HOWS: Final = get_args(How)
LINK_MODES: Final = get_args(LinkMode)
LAYOUTS: Final = get_args(Container)
DASHES: Final = get_args(Dash)
MARKERS: Final = get_args(Marker)


@dataclass(frozen=True)
class RangeSpec:
    """The part of an axis that is shown first, in axis space; None is the data's end.

    On time axes the ends are decimal strings of nanoseconds; whole numbers beyond 2^53 are decimal strings too.
    """

    start: float | str | None = None
    end: float | str | None = None


@dataclass(frozen=True)
class AxisSpec:
    """One axis: its space, what is written at it, and for categories an order of the labels (None is the data's).

    Kind "auto" is datetime where the columns hold times and linear elsewhere: `bigviz.document.bind` finds out.
    """

    kind: AxisKind | Literal["auto"] = "linear"
    label: str | None = None
    unit: str | None = None
    zone: str | None = None
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True)
class LayerSpec:
    """One glyph of one dataset, and how the page draws it. `agg` is the reduction's text form, `filter` the expression
    that a row has to meet: "" keeps every row, and `$name` in it is the value of a control.

    `cmap`, `how`, `low` and `high` colour cells. `color`, `line_width`, `alpha` and `line_dash` (a pattern's name, or
    lengths on and off) draw a line; `color`, `size`, `alpha` and `marker` single rows of points, which are drawn so
    where a colour or a size is given. Lengths are CSS pixels, None is the page's own choice. A histogram and bars have
    no column for y, which is ""; `bins` and `sort` are theirs.
    """

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
    line_width: float | None = None
    alpha: float = 1
    line_dash: Dash | tuple[float, ...] = "solid"
    size: float | None = None
    marker: Marker = "circle"
    legend_label: str | None = None
    filter: str = ""
    bins: int = BINS
    sort: Sort = "label"


@dataclass(frozen=True)
class BasemapSpec:
    """A map of square tiles below a mercator figure. `url` has {z}, {x} and {y} in its path, perhaps {r} (@2x on dense
    screens), and perhaps {s} (a, b or c) before its host. `attribution` is plain text; tiles of `max_zoom` are
    magnified beyond it."""

    url: str
    attribution: str
    max_zoom: int = 19


@dataclass(frozen=True)
class FollowSpec:
    """A figure shows the newest part of an axis, `window` long in axis units, and moves on as the data grow."""

    window: float
    axis: Literal["x"] = "x"


@dataclass(frozen=True)
class FigureSpec:
    """Axes with layers, the first layer at the bottom, over a map if there is one. `width` and `height` are CSS pixels,
    None is what there is. `hover` are the columns that are told of the row under the pointer; without any the first
    ones are."""

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
    basemap: BasemapSpec | None = None
    follow: FollowSpec | None = None
    hover: tuple[str, ...] = ()


@dataclass(frozen=True)
class ControlNode:
    """The place of a control in the layout."""

    control: str


@dataclass(frozen=True)
class LayoutSpec:
    """A row, a column, a grid of `columns` children side by side, or tabs, one child each, under `titles`."""

    id: str
    type: Container
    children: tuple[Node, ...]
    columns: int | None = None
    titles: tuple[str, ...] | None = None


Node = FigureSpec | LayoutSpec | ControlNode


@dataclass(frozen=True)
class LinkSpec:
    """Figures, by id, that show the rows of a brush in one of them: those alone ("filter"), or over all rows, dimmed
    ("highlight"); and `numbers`, controls that are worked out over the rows of all brushes."""

    figures: tuple[str, ...]
    mode: LinkMode = "filter"
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document(CellValue):
    """What one address shows, frozen: made by `bigviz.document`, served by `bigviz.serve`.

    `id` is its name in the address, `layout` a tree of rows, columns, grids, tabs, figures and the places of
    `controls`, which are by id. `rows` says whether those who
    may see the document may read single rows of its datasets, beyond what their rights to these say. `sources` binds
    names in `datasets` to open tables and is not part of the document's JSON; other names are of the server that it is
    published to. Nor is `live`: the objects that it was made of, by kind (layer, figure, control) and id.
    """

    id: str
    title: str
    datasets: tuple[str, ...]
    ranges: Mapping[str, RangeSpec]
    layout: Node
    rows: bool = False
    sources: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)
    controls: Mapping[str, ControlSpec] = field(default_factory=dict)
    links: tuple[LinkSpec, ...] = ()
    live: Mapping[tuple[str, str], object] = field(default_factory=dict, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """The document as JSON values: `bigviz.load` gives an equal one back. Every key is written out but
        `controls`, `links`, `basemap`, `follow` and `hover` of a figure, and `filter`, `bins` and `sort` of a layer,
        which are there only where they say something: readers that do not know them yet read the others."""
        out: dict[str, Any] = {
            "format": FORMAT,
            "id": self.id,
            "title": self.title,
            "datasets": list(self.datasets),
            "rows": self.rows,
            "ranges": {name: dict(vars(each)) for name, each in self.ranges.items()},
        }
        if self.controls:
            out["controls"] = {name: control_to_json(each) for name, each in self.controls.items()}
        if self.links:
            out["links"] = [
                {"figures": list(each.figures), "mode": each.mode}
                | ({"numbers": list(each.numbers)} if each.numbers else {})
                for each in self.links
            ]
        return {**out, "layout": _node_to_json(self.layout)}

    def figures(self) -> list[FigureSpec]:
        """The figures, depth first over the layout; the place of one is its number in the page and in messages."""
        return list(_figures(self.layout))

    def layers(self) -> list[tuple[FigureSpec, LayerSpec]]:
        """Every layer with its figure, depth first; the place of one is its number in the addresses of layers."""
        return [(figure, layer) for figure in self.figures() for layer in figure.layers]

    def placed_controls(self) -> list[str]:
        """The ids of the controls in the layout, depth first."""
        return list(_controls(self.layout))

    def renamed(self, name: str) -> Document:
        """The same document under another id."""
        return replace(self, id=name)

    @property
    def unbound(self) -> tuple[str, ...]:
        """The datasets that are names only, to be found by the server that the document is published to."""
        return tuple(name for name in self.datasets if name not in self.sources)

    def with_datasets(self, names: Mapping[str, str]) -> Document:
        """The same document with its datasets under other names, as they have them on a server: old name to new."""
        if not names:
            return self

        def renamed(figure: FigureSpec) -> FigureSpec:
            layers = (replace(layer, dataset=names.get(layer.dataset, layer.dataset)) for layer in figure.layers)
            return replace(figure, layers=tuple(layers))

        datasets = tuple(dict.fromkeys(names.get(name, name) for name in self.datasets))
        sources = {names.get(name, name): source for name, source in self.sources.items()}
        controls = {name: with_dataset_names(each, names) for name, each in self.controls.items()}
        layout = mapped(self.layout, renamed)
        return replace(self, datasets=datasets, layout=layout, sources=sources, controls=controls)


def mapped(node: Node, change: Callable[[FigureSpec], FigureSpec]) -> Node:
    """A layout with every figure changed, depth first."""
    if isinstance(node, FigureSpec):
        return change(node)
    if isinstance(node, ControlNode):
        return node
    return replace(node, children=tuple(mapped(child, change) for child in node.children))


def _figures(node: Node) -> Iterator[FigureSpec]:
    if isinstance(node, FigureSpec):
        yield node
    elif isinstance(node, LayoutSpec):
        for child in node.children:
            yield from _figures(child)


def _controls(node: Node) -> Iterator[str]:
    if isinstance(node, ControlNode):
        yield node.control
    elif isinstance(node, LayoutSpec):
        for child in node.children:
            yield from _controls(child)


def _node_to_json(node: Node) -> dict[str, Any]:
    if isinstance(node, ControlNode):
        return {"type": "control", "control": node.control}
    if isinstance(node, LayoutSpec):
        out: dict[str, Any] = {"id": node.id, "type": node.type}
        if node.type == "grid":
            out["columns"] = node.columns
        if node.titles is not None:
            out["titles"] = list(node.titles)
        return {**out, "children": [_node_to_json(child) for child in node.children]}
    out = {"id": node.id, "type": "figure", "title": node.title, "x_range": node.x_range, "y_range": node.y_range}
    for name, axis in (("x_axis", node.x_axis), ("y_axis", node.y_axis)):
        out[name] = {key: _listed(value) for key, value in vars(axis).items()}
    out |= {"aspect": node.aspect, "width": node.width, "height": node.height}
    if node.basemap is not None:
        out["basemap"] = dict(vars(node.basemap))
    if node.follow is not None:
        out["follow"] = {"axis": node.follow.axis, "window": node.follow.window}
    if node.hover:
        out["hover"] = list(node.hover)
    return {**out, "layers": [_layer_to_json(layer) for layer in node.layers]}


def _layer_to_json(layer: LayerSpec) -> dict[str, Any]:
    out = {key: _listed(value) for key, value in vars(layer).items()}
    if not layer.filter:
        del out["filter"]
    for key, default in (("bins", BINS), ("sort", "label")):
        if out[key] == default:
            del out[key]
    return out


def _listed(value: Any) -> Any:
    """JSON has lists, not tuples."""
    return list(value) if isinstance(value, tuple) else value
