"""`bigviz.document`: from figures and layouts, which are live and mutable, to a document, which is data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from bigviz.aggregate.layer_options import AxisKind
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.document.figure import Figure, Layer, Range, nanoseconds
from bigviz.document.json import from_json, to_json
from bigviz.document.layout import Box
from bigviz.document.names import check_name, free_name
from bigviz.document.spec import FORMAT, AxisSpec, Document

__all__ = ["collected", "document", "from_json", "to_json"]

_made: ContextVar[list[Document] | None] = ContextVar("made", default=None)


def document(root: Figure | Box | Document, *, title: str | None = None, id: str | None = None) -> Document:
    """Freeze a figure or a layout into a document.

    `title` is the heading of the page (default: the first figure's title), `id` its name in the address (default: the
    title as one word). Figures, layouts, ranges and layers get ids by their place (f0, l0, x0, f0-0), so the same
    script makes the same document. Raises BadInput for an id used twice and for axes that do not go together.
    """
    if isinstance(root, Document):
        made = root if id is None else root.renamed(check_name(id, "id"))
    else:
        made = _Freezer().freeze(root, title, id)
    found = _made.get()
    if found is not None:
        found.append(made)
    return made


@contextmanager
def collected() -> Iterator[list[Document]]:
    """The documents that `document` makes while the block runs, in order; those of other threads are not among them."""
    made: list[Document] = []
    token = _made.set(made)
    try:
        yield made
    finally:
        _made.reset(token)


class _Freezer:
    """Collects datasets and ranges while it walks the layout."""

    def __init__(self) -> None:
        self.datasets: dict[str, Dataset] = {}
        self.sources: list[tuple[object, str]] = []
        self.ranges: dict[str, dict[str, Any]] = {}
        self.range_names: dict[int, tuple[str, bool]] = {}
        self.figures = 0
        self.boxes = 0

    def freeze(self, root: Figure | Box, title: str | None, id: str | None) -> Document:
        if not isinstance(root, Figure | Box):
            raise BadInput(f"A document is made of a figure or a layout, got {type(root).__name__}.", "root")
        layout = self._node(root)
        first = root
        while isinstance(first, Box):
            first = first.children[0]
        title = first.title if title is None else title
        value = {
            "format": FORMAT,
            "id": _word(title) if id is None else id,
            "title": title,
            "datasets": list(self.datasets),
            "ranges": self.ranges,
            "layout": layout,
        }
        return from_json(value, self.datasets)

    def _node(self, node: Figure | Box) -> dict[str, Any]:
        if isinstance(node, Figure):
            return self._figure(node)
        number, self.boxes = self.boxes, self.boxes + 1
        out: dict[str, Any] = {"id": node.id or f"l{number}", "type": node.type}
        if node.type == "grid":
            out["columns"] = node.columns
        return {**out, "children": [self._node(child) for child in node.children]}

    def _figure(self, node: Figure) -> dict[str, Any]:
        number, self.figures = self.figures, self.figures + 1
        name = node.id or f"f{number}"
        x_axis, y_axis = self._axis(node, "x"), self._axis(node, "y")
        if "mercator" in (x_axis.kind, y_axis.kind) and x_axis.kind != y_axis.kind:
            raise BadInput(f"Figure {name}: mercator is for both axes or none.", "x_axis_type", x_axis.kind)
        out: dict[str, Any] = {"id": name, "type": "figure", "title": node.title}
        out["x_range"] = self._range(node.x_range, f"x{number}", x_axis.kind)
        out["y_range"] = self._range(node.y_range, f"y{number}", y_axis.kind)
        out |= {"x_axis": vars(x_axis), "y_axis": vars(y_axis), "aspect": node.aspect}
        if x_axis.kind == "mercator":
            out["aspect"] = "locked"
        out |= {"width": node.width, "height": node.height}
        layers = []
        for at, each in enumerate(node.layers):
            what = {"glyph": each.glyph, "x": each.x, "y": each.y, "agg": each.agg}
            layers.append({"id": f"{name}-{at}", "dataset": self._dataset(each), **what, **each.style})
        return {**out, "layers": layers}

    def _axis(self, node: Figure, axis: str) -> AxisSpec:
        asked: AxisKind | None = getattr(node, f"{axis}_axis_type")
        infos = [layer.dataset.info(getattr(layer, axis)) for layer in node.layers]
        times = [info.is_time for info in infos]
        if any(times) and not all(times):
            names = ", ".join(info.name for info in infos)
            raise BadInput(f"Times and numbers do not share an axis: {names}.", f"{axis}_axis_type", asked)
        kind: AxisKind = asked or ("datetime" if any(times) else "linear")
        if infos and (kind == "datetime") != any(times):
            held = "times" if any(times) else "no times"
            raise BadInput(f"Column {infos[0].name!r} holds {held}, got a {kind} axis.", f"{axis}_axis_type", kind)
        zone = next((info.zone for info in infos if info.zone), None)
        return AxisSpec(kind, getattr(node, f"{axis}_label"), getattr(node, f"{axis}_unit"), zone)

    def _range(self, shown: Range, name: str, kind: AxisKind) -> str:
        times = kind == "datetime"
        name, before = self.range_names.setdefault(id(shown), (name, times))
        if before != times:
            raise BadInput(f"Range {name} is shared by an axis of times and one of numbers.", "range", name)
        ends = (shown.start, shown.end)
        if times:
            ends = tuple(None if end is None else str(nanoseconds(end)) for end in ends)  # type: ignore[assignment]
        self.ranges[name] = dict(zip(("start", "end"), ends, strict=True))
        return name

    def _dataset(self, layer: Layer) -> str:
        for source, name in self.sources:
            if source is layer.source or (isinstance(source, str) and source == layer.source):
                return name
        name = free_name(layer.dataset.name, self.datasets)
        self.datasets[name] = layer.dataset
        self.sources.append((layer.source, name))
        return name


def _word(title: str) -> str:
    """A title as one segment of an address."""
    word = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    return word[:100] or "plot"
