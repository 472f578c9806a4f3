"""`bigviz.document`: from figures and layouts, which are live and mutable, to a document, which is data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.data.given import given_text
from bigviz.data.open import open as open_dataset
from bigviz.document.bind import filled
from bigviz.document.controls.control import Control
from bigviz.document.figure import End, Figure, Range, nanoseconds
from bigviz.document.follow import figure_follow, followed_kind
from bigviz.document.json import from_json
from bigviz.document.layout import Box
from bigviz.document.links import linked_figures
from bigviz.document.names import check_name, free_name, is_dataset_name
from bigviz.document.spec import FORMAT, Document

__all__ = ["as_document", "collected", "document"]

_made: ContextVar[list[Document] | None] = ContextVar("made", default=None)


def document(
    root: Figure | Box | Document, *, title: str | None = None, id: str | None = None, rows: bool | None = None
) -> Document:
    """Freeze a figure or a layout into a document.

    `title` is the heading of the page (default: the first figure's title), `id` its name in the address (default: the
    title as one word). `rows=True` lets everyone who may see the document read single rows of its datasets, whatever
    their rights to these. Figures, layouts, ranges and layers get ids by their place (f0, l0, x0, f0-0), so the same
    script makes the same document. Raises BadInput for an id used twice and for axes that do not go together.
    """
    if title is not None:
        given_text(title, "title")
    if rows is not None and not isinstance(rows, bool):
        raise BadInput(f"rows is True, False or None, got {echoed(rows)}.", "rows", echoed(rows))
    if isinstance(root, Document):
        made = root if id is None else root.renamed(check_name(id, "id"))
        made = made if title is None else replace(made, title=title)
    else:
        made = _Freezer().freeze(root, title, id)
    made = made if rows is None else replace(made, rows=rows)
    found = _made.get()
    if found is not None:
        found.append(made)
    return made


def as_document(root: Figure | Box | Document) -> Document:
    """What is to be shown: a document as it is, others frozen into one. Raises BadInput for a document whose figures
    have been given layers or links since it was made, which it does not show."""
    if not isinstance(root, Document):
        return document(root)
    figures = {name: each for (_, name), each in root.live.items() if isinstance(each, Figure)}
    for spec in root.figures():
        if spec.id in figures and len(figures[spec.id].layers) != len(spec.layers):
            raise _late(f"Figure {spec.title or spec.id!r} was given a layer", spec.id)
    known = {id(each) for each in figures.values()}
    links = {id(link): link for each in figures.values() for link in each.links}
    within = [link for link in links.values() if all(id(each) in known for each in link.figures)]
    if len(known) > 1 and len(within) > len(root.links):
        raise _late("Figures were linked", "links")
    return root


def _late(what: str, field: str) -> BadInput:
    return BadInput(f"{what} after `bigviz.document` had made the document, which lacks it: call it last.", field)


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
        self.datasets: dict[str, Dataset | None] = {}
        self.named: set[str] = set()
        self.sources: list[tuple[object, str]] = []
        self.ranges: dict[str, dict[str, Any]] = {}
        self.range_names: dict[int, str] = {}
        self.dated: set[str] = set()
        self.figures: dict[int, str] = {}
        self.controls: list[tuple[Control, str]] = []
        self.boxes = 0
        self.shown = 0  # figures, one that is shown twice counted twice

    def freeze(self, root: Figure | Box, title: str | None, id: str | None) -> Document:
        if not isinstance(root, Figure | Box):
            raise BadInput(f"A document is made of a figure or a layout, got {type(root).__name__}.", "root")
        figures = list(_figures(root))
        if not figures:
            raise BadInput("A document shows at least one figure, got a layout without any.", "root")
        self.named = {str(layer.source) for each in figures for layer in each.layers if layer.dataset is None}
        layout = self._node(root)
        controls = {name: self._control(each) for each, name in self.controls}
        title = figures[0].title if title is None else title
        value = {
            "format": FORMAT,
            "id": _word(title) if id is None else id,
            "title": title,
            "datasets": list(self.datasets),
            "ranges": self.ranges,
            "controls": controls,
            "links": linked_figures(figures, self.figures, self.controls),
            "layout": layout,
        }
        made = filled(from_json(value, {name: each for name, each in self.datasets.items() if each is not None}))
        self._check_dates(made)
        return replace(made, live=self._live(made, figures))

    def _live(self, made: Document, figures: list[Figure]) -> dict[tuple[str, str], object]:
        """The objects that a document was made of, by kind and id."""
        live: dict[tuple[str, str], object] = {}
        for figure, spec in zip(figures, made.figures(), strict=True):
            live["figure", spec.id] = figure
            for layer, its in zip(figure.layers, spec.layers, strict=True):
                live["layer", its.id] = layer
        live |= {("control", name): control for control, name in self.controls}
        return live

    def _node(self, node: Figure | Box | Control) -> dict[str, Any]:
        if isinstance(node, Figure):
            return self._figure(node)
        if isinstance(node, Control):
            return {"type": "control", "control": self._place(node)}
        number, self.boxes = self.boxes, self.boxes + 1
        out: dict[str, Any] = {"id": node.id or f"l{number}", "type": node.type}
        if node.type == "grid":
            out["columns"] = node.columns
        if node.titles is not None:
            out["titles"] = list(node.titles)
        return {**out, "children": [self._node(child) for child in node.children]}

    def _figure(self, node: Figure) -> dict[str, Any]:
        number, self.shown = self.shown, self.shown + 1
        name = node.id or f"f{number}"
        self.figures.setdefault(id(node), name)
        out: dict[str, Any] = {"id": name, "type": "figure", "title": node.title}
        for axis in ("x", "y"):
            out[f"{axis}_range"] = self._range(getattr(node, f"{axis}_range"), f"{axis}{number}")
            kind, label, unit = (getattr(node, f"{axis}_{each}") for each in ("axis_type", "label", "unit"))
            out[f"{axis}_axis"] = {"kind": kind or "auto", "label": label, "unit": unit}
        if node.follow is not None:
            out["x_axis"]["kind"] = followed_kind(node.follow, node.x_axis_type, name)
        out["aspect"] = "locked" if node.x_axis_type == "mercator" else node.aspect
        out |= {"width": node.width, "height": node.height}
        if node.basemap is not None:
            out["basemap"] = dict(vars(node.basemap))
        if node.hover:
            out["hover"] = list(node.hover)
        if node.follow is not None:
            out["follow"] = dict(vars(figure_follow(node.follow)))
        layers = []
        for at, each in enumerate(node.layers):
            what = {"glyph": each.glyph, "x": each.x, "y": each.y, "agg": each.agg}
            layers.append(
                {"id": f"{name}-{at}", "dataset": self._dataset(each.source, each.dataset), **what, **each.style}
            )
        return {**out, "layers": layers}

    def _range(self, shown: Range, name: str) -> str:
        name = self.range_names.setdefault(id(shown), name)
        ends = (shown.start, shown.end)
        if any(isinstance(end, date | np.datetime64) for end in ends):
            self.dated.add(name)
            self.ranges[name] = {key: _stamp(end) for key, end in zip(("start", "end"), ends, strict=True)}
        else:
            plain = (end.item() if isinstance(end, np.generic) else end for end in ends)
            self.ranges[name] = dict(zip(("start", "end"), plain, strict=True))
        return name

    def _place(self, node: Control) -> str:
        """The id of a control that the layout holds. BadInput where it holds it, or another of that id, twice."""
        name = node.id or f"c{len(self.controls)}"
        if any(each is node or taken == name for each, taken in self.controls):
            raise BadInput(
                f"The layout has two controls {name!r}: each is there once, under an id of its own.", "id", name
            )
        self.controls.append((node, name))
        return name

    def _control(self, node: Control) -> dict[str, Any]:
        out: dict[str, Any] = {"type": node.type, **deepcopy(node.settings)}
        if node.source is not None:
            name = self._known(node.source)
            if name is None:
                name = self._dataset(node.source, None if is_dataset_name(node.source) else open_dataset(node.source))
            about = out if node.type == "number" else out["options"]
            about["dataset"] = name
        if node.figure is not None:
            out["figure"] = self.figures.get(id(node.figure), "")
        return out

    def _known(self, source: object) -> str | None:
        """The name of a source that was met before."""
        for other, name in self.sources:
            if other is source or (isinstance(other, str) and other == source):
                return name
        return None

    def _dataset(self, source: object, dataset: Dataset | None) -> str:
        if dataset is None:
            self.datasets.setdefault(str(source), None)
            return str(source)
        known = self._known(source)
        if known is not None:
            return known
        name = free_name(dataset.name, {*self.datasets, *self.named})
        self.datasets[name] = dataset
        self.sources.append((source, name))
        return name

    def _check_dates(self, made: Document) -> None:
        """Dates end ranges of times only: as nanoseconds they would pass for numbers."""
        for figure in made.figures():
            for name, axis in ((figure.x_range, figure.x_axis), (figure.y_range, figure.y_axis)):
                if name in self.dated and axis.kind not in ("datetime", "auto"):
                    raise BadInput(f"Range {name} ends with a date, and its axis is {axis.kind}.", "range", name)


def _figures(node: Figure | Box | Control) -> Iterator[Figure]:
    if isinstance(node, Figure):
        yield node
    elif isinstance(node, Box):
        for child in node.children:
            yield from _figures(child)


def _stamp(end: End) -> str | None:
    return None if end is None else str(nanoseconds(end))


def _word(title: str) -> str:
    """A title as one segment of an address."""
    word = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())
    return word[:100] or "plot"
