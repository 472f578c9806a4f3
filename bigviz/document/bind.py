"""A document and the open tables that its datasets name: what it leaves to their columns is filled in and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, cast

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import BARS
from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput, BigvizError, NotFound, naming
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.document.controls.bound import check_bound_controls
from bigviz.document.controls.filter_types import check_control_types
from bigviz.document.controls.values import initial_values
from bigviz.document.filter_text import initial_filter
from bigviz.document.follow import follow_hint
from bigviz.document.spec import AxisSpec, Document, FigureSpec, LayerSpec, RangeSpec, mapped
from bigviz.document.substitute import offered, substituted

__all__ = ["bind", "filled", "require_bound"]

_AXES: Final = ("x", "y")


def bind(document: Document, sources: Mapping[str, Dataset]) -> Document:
    """The document over open tables, ready to be served.

    Each layer is checked against its columns. An axis of kind "auto" becomes datetime for columns of times and linear
    for all others, an axis without a zone gets its column's, and numbers that end a range of times become decimal
    strings. Raises NotFound, with field "dataset", for a dataset that is not among the `sources`; NotFound or
    Unplottable for a column, BadInput for a reduction or an axis that does not go with one.
    """
    for name in document.datasets:
        if name not in sources:
            more = hint(name, list(sources))
            raise NotFound(f"There is no dataset {echoed(name)} here.{more}", "dataset", name)
    return filled(replace(document, sources={name: sources[name] for name in document.datasets}))


def require_bound(document: Document) -> None:
    """Raise NotFound, with field "dataset", where a document names datasets that only another server can know."""
    if document.unbound:
        name = document.unbound[0]
        raise NotFound(
            f"There is no file {name!r}; as the name of a server's dataset it works where the document is published to "
            "that server. To serve it here, give the path of a table, or the table.",
            "dataset",
            name,
        )


def filled(document: Document) -> Document:
    """`bind` for the datasets that are open; what depends on the others stays as it is."""
    columns = _Columns(document)
    changed = replace(document, layout=mapped(document.layout, lambda figure: _figure(figure, columns)))
    _check_layers(changed)
    check_bound_controls(changed)
    return replace(changed, ranges=_ranges(changed))


def _figure(figure: FigureSpec, columns: _Columns) -> FigureSpec:
    return replace(figure, x_axis=_axis(figure, "x", columns), y_axis=_axis(figure, "y", columns))


def _axis(figure: FigureSpec, axis: str, columns: _Columns) -> AxisSpec:
    spec: AxisSpec = getattr(figure, f"{axis}_axis")
    infos = [info for layer in figure.layers if (info := columns.of(layer, axis)) is not None]
    times = [info.is_time for info in infos]
    if any(times) and not all(times):
        names = ", ".join(info.name for info in infos)
        raise BadInput(f"Times and numbers do not share an axis: {names}.", f"{axis}_axis.kind", spec.kind)
    kind = spec.kind
    is_open = not figure.layers or (axis == "y" and all(layer.glyph in BARS for layer in figure.layers))
    if kind == "auto" and (infos or is_open):
        kind = "datetime" if any(times) else "linear"
    if infos and (kind == "datetime") != any(times):
        message = f"Column {infos[0].name!r} holds {'times' if any(times) else 'no times'}, got a {kind} axis."
        if axis == "x" and figure.follow is not None:
            raise BadInput(message + follow_hint(any(times)), "follow", figure.follow.window)
        raise BadInput(message, f"{axis}_axis.kind", kind)
    zone = spec.zone or next((info.zone for info in infos if info.zone), None)
    return replace(spec, kind=kind, zone=zone)


class _Columns:
    """The columns that layers have on their axes, each looked up once: many layers show the same ones."""

    def __init__(self, document: Document) -> None:
        self._sources = document.sources
        self._values = initial_values(document)
        self._found: dict[tuple[str, str], ColumnInfo] = {}

    def of(self, layer: LayerSpec, axis: str) -> ColumnInfo | None:
        """What a layer has on an axis; None where its dataset is not open, and where no column is on it."""
        dataset = self._sources.get(layer.dataset)
        if dataset is None:
            return None
        if axis == "y" and layer.glyph in BARS:
            return None
        key = (layer.dataset, getattr(substituted(layer, self._values), axis))
        if key not in self._found:
            with naming(axis):
                self._found[key] = cast(Dataset, dataset).info(key[1])
        return self._found[key]


def _check_layers(document: Document) -> None:
    checked, filters = set[tuple[str, Layer]](), set[tuple[str, str]]()
    for figure, spec in document.layers():
        dataset = document.sources.get(spec.dataset)
        if dataset is None:
            continue
        for each, control, option in offered(document, spec):
            kinds = figure.x_axis.kind, figure.y_axis.kind
            if (each.x, each.y) != (spec.x, spec.y) and "mercator" not in kinds and control is not None:
                kinds = "linear", "linear"  # a column of a control's is on an axis of its own kind
            with _of_layer(figure, spec), _offered_by(control, option):
                kept = initial_filter(document, each.filter)
                if (spec.dataset, each.filter) not in filters:
                    check_control_types(document, each.filter, cast(Dataset, dataset))
                    filters.add((spec.dataset, each.filter))
                layer = Layer(each.glyph, each.x, each.y, each.agg, *kinds, each.root, kept, each.bins, each.sort)
                if (spec.dataset, layer) not in checked:
                    layer.check(cast(Dataset, dataset))
                    checked.add((spec.dataset, layer))


@contextmanager
def _of_layer(figure: FigureSpec, spec: LayerSpec) -> Iterator[None]:
    """Name the figure and the layer whose filter is wrong: what is said of it is a place in its text."""
    try:
        yield
    except BigvizError as error:
        if error.field == "filter":
            title = f" ({figure.title})" if figure.title else ""
            where = f"Figure {figure.id}{title}, layer {spec.id}, filter {echoed(spec.filter, 200)}"
            error.message = f"{where}: {error.message}"
            error.args = (error.message,)
        raise


@contextmanager
def _offered_by(control: str | None, option: object) -> Iterator[None]:
    """Name the control whose option is wrong."""
    try:
        yield
    except BigvizError as error:
        if control is not None:
            error.message = f"Control {control!r}, option {echoed(option)}: {error.message}"
            error.args = (error.message,)
        raise


def _ranges(document: Document) -> dict[str, RangeSpec]:
    """The ranges, those of times with decimal strings for ends."""
    times: dict[str, bool] = {}
    for figure in document.figures():
        for axis in _AXES:
            name, kind = getattr(figure, f"{axis}_range"), getattr(figure, f"{axis}_axis").kind
            if kind == "auto":
                continue
            if times.setdefault(name, kind == "datetime") != (kind == "datetime"):
                raise BadInput(f"Range {name} is shared by an axis of times and one of numbers.", "range", name)
    return {name: _of_times(name, each) if times.get(name) else each for name, each in document.ranges.items()}


def _of_times(name: str, ends: RangeSpec) -> RangeSpec:
    start, end = (None if each is None else str(int(each)) for each in (ends.start, ends.end))
    if start is not None and end is not None and int(start) >= int(end):
        raise BadInput(f"Range {name} of times is in whole nanoseconds, got {ends.start} to {ends.end}.", "range", name)
    return RangeSpec(start, end)
