"""Which layer a request is about: the published one, changed by a query, or a whole definition from a message.

A definition names a dataset of the document, never a path; its other keys are the fields of `Layer`. Names and words
are checked here; `resolve` checks columns against the dataset.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import AXIS_KINDS, BARS, GLYPHS, MOST_BINS, ROOTS, SORTS, default_agg
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, BigvizError
from bigviz.data.columns.column import own_name
from bigviz.data.dataset import Dataset
from bigviz.data.filters.parse import parse
from bigviz.document.controls.bound import control_columns
from bigviz.document.controls.values import all_values, initial_values
from bigviz.document.filter_text import bound_filter
from bigviz.document.json_values import parse_json
from bigviz.document.spec import Document, FigureSpec, LayerSpec
from bigviz.document.substitute import offered, reference_of, substituted
from bigviz.server.controls.asked_filter import asked_filter, shown_filters
from bigviz.server.jobs.usage import EVERYTHING, Usage
from bigviz.server.open_datasets import dataset_of
from bigviz.server.request_values import choice, whole

__all__ = ["Asked", "LayerRef", "named_columns", "overridden", "published", "read", "times_of", "values_in_query"]

_LONGEST: Final = 10_000
_WORDS: Final = {"glyph": GLYPHS, "xaxis": AXIS_KINDS, "yaxis": AXIS_KINDS, "root": ROOTS, "sort": SORTS}
_COLUMN_OF: Final = {"xaxis": "x", "yaxis": "y"}
_OPTIONS: Final = tuple(each.name for each in fields(Layer))
_REFERRING: Final = frozenset({"x", "y", "agg"})


@dataclass(frozen=True)
class LayerRef:
    """A layer and the name that its document gives to its dataset."""

    dataset: str
    layer: Layer

    def resolve(self, document: Document, usage: Usage = EVERYTHING) -> tuple[Dataset, Layer]:
        """The dataset, and the layer checked against its schema; errors name the field. Forbidden for columns that the
        caller may not use."""
        usage.check(self.dataset, _columns(self.layer))
        dataset = dataset_of(document, self.dataset)
        with usage.discretion(self.dataset):
            self.layer.check(dataset)
        spelled = replace(self.layer, agg=str(self.layer.reduction))  # one spelling, so that work is shared
        return dataset, spelled.bound(dataset)


def published(
    document: Document, figure: FigureSpec, layer: LayerSpec, values: Mapping[str, Any] | None = None
) -> LayerRef:
    """A document's own layer, with the checked `values` of its controls, or those that they have at first.

    A column that a control puts on an axis brings the axis with it, as one that a query names does.
    """
    initial = initial_values(document)
    first = substituted(layer, initial)
    own = _drawn(figure, first, bound_filter(document, first.filter, initial))
    if values is None:
        return LayerRef(layer.dataset, own)
    now = substituted(layer, values)
    changed = _drawn(figure, now, bound_filter(document, now.filter, values))
    return _on_its_axes(LayerRef(layer.dataset, own), changed, (), document)


def _drawn(figure: FigureSpec, layer: LayerSpec, kept: str = "") -> Layer:
    kinds = (figure.x_axis.kind, figure.y_axis.kind)
    return Layer(layer.glyph, layer.x, layer.y, layer.agg, *kinds, layer.root, kept, layer.bins, layer.sort)


def values_in_query(document: Document, get: Callable[[str], str | None]) -> dict[str, Any]:
    """The values of a document's controls, those that a query gives as `p.ID`, in JSON, checked. Raises BadInput that
    names the control."""
    given = {name: _json(name, text) for name in document.controls if (text := get(f"p.{name}")) is not None}
    return all_values(document, given)


def overridden(
    base: LayerRef,
    document: Document,
    get: Callable[[str], str | None],
    usage: Usage = EVERYTHING,
    values: Mapping[str, Any] | None = None,
) -> LayerRef:
    """The published layer with the query's changes; Forbidden for columns that the caller may not use.

    If the query names another column but not its axis, the axis is datetime for times, else linear; if it names another
    glyph but no reduction, the reduction is the glyph's default (count, any). A glyph without a column for y has none,
    whatever is published. A filter has the checked `values` of controls in it, or those that they have at first; for a
    caller without a role on the dataset it is joined with the published one.
    """
    values = initial_values(document) if values is None else values
    given = {name: text for name in _OPTIONS if (text := get(name)) is not None}
    own = base.layer
    options = {name: _option(name, text) for name, text in given.items()}
    if "filter" in options:
        options["filter"] = asked_filter(document, base.dataset, options["filter"], values, usage, [own.filter])
    changed = replace(own, **_with_values(options, values))
    if "agg" not in given and changed.glyph != own.glyph:
        changed = replace(changed, agg=default_agg(changed.glyph))
    if changed.glyph in BARS and "y" not in given:
        changed = replace(changed, y="")
    usage.check(base.dataset, _columns(changed))
    with usage.discretion(base.dataset):
        return _on_its_axes(base, changed, given, document)


def _on_its_axes(base: LayerRef, changed: Layer, given: Collection[str], document: Document) -> LayerRef:
    """A layer over other columns than those of `base`: an axis that is not `given` is what its column makes it."""
    own = base.layer
    if (changed.x, changed.y) != (own.x, own.y):
        missing: dict[str, Any] = {name: "linear" for name in _COLUMN_OF if name not in given}
        if not ({own.xaxis, own.yaxis} & {"mercator"}):
            missing = {name: kind for name, kind in missing.items() if _moved(name, own, changed)}
        spaces = _spaces(dataset_of(document, base.dataset), replace(changed, **missing), missing)
        changed = replace(changed, **spaces)
    return replace(base, layer=changed)


def _with_values(options: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's options with the values of controls for "$ID" that is the whole of one."""
    out = dict(options)
    for key in _REFERRING & options.keys():
        name = reference_of(options[key])
        if name is None or name not in values:
            continue
        if not isinstance(values[name], str):
            raise BadInput(f"Control {name!r} has no value that could be {key}.", name, echoed(values[name], 60))
        out[key] = values[name]
    return out


def _json(name: str, text: str) -> Any:
    try:
        return parse_json(text)
    except BadInput as error:
        raise BadInput(
            f"p.{name} is the value of a control in JSON (texts in double quotes), got {echoed(text, 60)}.",
            name,
            text[:60],
        ) from error


def read(value: Any, document: Document, usage: Usage = EVERYTHING) -> LayerRef:
    """The layer in a message. Unknown keys, missing ones and other types than text raise BadInput, columns that the
    caller may not use Forbidden.

    `agg` (count, any), the axes (datetime for times, else linear), `root` ("default"), `bins` (50), `sort` ("label")
    and y of a glyph that has none may be absent. `values` are those of the controls that the definition names as
    `$ID`, by id; others have the values that they have at first. A caller without a role on the dataset gets rows of
    the document's layers alone.
    """
    if not isinstance(value, dict):
        raise BadInput("definition is an object.", "definition", echoed(value))
    names = ("dataset", "values", *_OPTIONS)
    for key in value:
        if key not in names:
            raise BadInput(f"definition.{key}: unknown key; the keys are {', '.join(names)}.", f"definition.{key}", key)
    values = all_values(document, value.get("values", {}))
    value = {key: each for key, each in value.items() if key != "values"}
    if value.get("glyph") in BARS:
        value = {"y": "", **value}
    for key in ("dataset", "glyph", "x", "y"):
        if key not in value:
            raise BadInput(f"definition.{key} is missing.", f"definition.{key}")
    given = {key: _option(key, each) for key, each in value.items()}
    given.setdefault("agg", default_agg(given["glyph"]))
    dataset = given.pop("dataset")
    shown = shown_filters(document, dataset, values) if dataset in usage.columns else ()
    given["filter"] = asked_filter(document, dataset, given.get("filter", ""), values, usage, shown)
    found = Layer(**_with_values(given, values))
    usage.check(dataset, _columns(found))
    missing = [name for name in _COLUMN_OF if name not in given]
    with usage.discretion(dataset):
        spaces = _spaces(dataset_of(document, dataset), found, missing)
    return LayerRef(dataset, replace(found, **spaces))


def times_of(dataset: Dataset, layer: Layer) -> tuple[bool, bool]:
    """Whether positions on x and on y are int64 nanoseconds."""
    return dataset.info(layer.x).is_time, layer.glyph not in BARS and dataset.info(layer.y).is_time


def named_columns(document: Document, dataset: str) -> frozenset[str]:
    """The columns of a dataset that a document names: its layers, with every option of its controls, what is told of
    rows under the pointer, and controls."""
    layers = (
        _drawn(figure, each, each.filter)
        for figure, spec in document.layers()
        if spec.dataset == dataset
        for each, _, _ in offered(document, spec)
    )
    of_layers = {name for layer in layers for _, name in _columns(layer)}
    told = {name for figure, spec in document.layers() if spec.dataset == dataset for name in figure.hover}
    return frozenset(of_layers | told | control_columns(document, dataset))


def _columns(layer: Layer) -> Iterator[tuple[str, str]]:
    """The table's columns that a layer reads, each after the option that names it."""
    yield "x", own_name(layer.x)
    if layer.glyph not in BARS:
        yield "y", own_name(layer.y)
    for name in layer.reduction.columns:
        yield "agg", own_name(name)
    for name in parse(layer.filter).columns if layer.filter else ():
        yield "filter", own_name(name)


def _moved(axis: str, base: Layer, changed: Layer) -> bool:
    column = _COLUMN_OF[axis]
    return bool(getattr(base, column) != getattr(changed, column))


def _spaces(dataset: Dataset, layer: Layer, axes: Any) -> dict[str, Any]:
    """Axis -> datetime or linear, by what the axis's column holds."""
    out = {}
    for axis in axes:
        column = _COLUMN_OF[axis]
        if column == "y" and layer.glyph in BARS:
            out[axis] = "linear"
            continue
        try:
            info = dataset.info(getattr(layer, column))
        except BigvizError as error:
            error.field = column
            raise
        out[axis] = "datetime" if info.is_time else "linear"
    return out


def _option(key: str, value: Any) -> Any:
    """The value of one of a layer's options."""
    return whole(value, key, 1, MOST_BINS) if key == "bins" else _word(key, value)


def _word(key: str, value: Any) -> str:
    if not isinstance(value, str) or (len(value) > _LONGEST and key != "filter"):  # which says so with its place
        raise BadInput(
            f"{key} is a text of at most {_LONGEST} characters, got {echoed(value, 60)}.", key, echoed(value, 60)
        )
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise BadInput(f"{key} holds half a character, got {echoed(value, 60)}.", key, echoed(value, 60))
    allowed: Mapping[str, Any] = _WORDS
    return choice(value, key, allowed[key]) if key in allowed else value


@dataclass(frozen=True)
class Asked:
    """The layer that a route is about, and the published one's style."""

    dataset: Dataset
    layer: Layer
    figure: FigureSpec
    style: LayerSpec
    etag: str

    @property
    def times(self) -> tuple[bool, bool]:
        """Whether x and y are axes of nanoseconds."""
        return times_of(self.dataset, self.layer)
