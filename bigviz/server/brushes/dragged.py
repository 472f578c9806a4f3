"""A control that is dragged as a brush: over the column that filters compare with it, in layers with the rest of these
filters. Everything here blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeGuard

from bigviz.aggregate.layer import Layer
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.filters.bind import bind
from bigviz.data.filters.dragged import moved_by, range_of
from bigviz.data.filters.parse import parse
from bigviz.document.controls.values import all_values, filter_values
from bigviz.document.filter_text import bound_filter
from bigviz.server.brushes.wanted import AskedBrush, Drag
from bigviz.server.open_datasets import dataset_of
from bigviz.tiles.interface import Span, SpanSource, TotalTarget

if TYPE_CHECKING:
    from bigviz.common.cancel import Cancel
    from bigviz.data.dataset import Dataset
    from bigviz.data.filters.tree import Expression
    from bigviz.document.controls.spec import ControlSpec
    from bigviz.document.spec import Document
    from bigviz.server.brushes.wanted import BrushRequest, NumberWant
    from bigviz.server.documents.opened import Shown
    from bigviz.server.jobs.usage import Usage

__all__ = ["dragged", "number_spec"]

_TIMES: Final = ("timestamp", "date", "time", "duration")
_DRAGGED: Final = ("integer", "float", *_TIMES)


class Resolving(Protocol):
    """Finds the layers that definitions mean."""

    def resolve(self, document: Document, value: object, usage: Usage) -> tuple[Dataset, Layer]:
        """The dataset and the checked layer of a definition, as `usage` allows."""


@dataclass(frozen=True)
class _Found:
    """A layer or a live figure without the comparison that moves; without a `drag` the control is not in its filter."""

    dataset: Dataset
    layer: Layer
    drag: Drag | None


def dragged(request: BrushRequest, shown: Shown, backend: Resolving, cancel: Cancel) -> AskedBrush:
    """A message with a `control`, whose layers and live figures have definitions with the control's value in them.

    The targets left are those that one range of one column moves, that of the first which has one: by their own filter,
    or by that of a brush which rests and filters them. Others have to be asked for as filtered layers. Every definition
    is resolved whole first, so no one sees by a drag what the filtered layer does not show. Raises BadInput where no
    target is left, or a brush that rests or a live figure has the control in its filter in another way, and what
    resolving a definition raises.
    """
    control = str(request.control)
    if control not in shown.document.controls:
        raise BadInput(f"There is no control {echoed(control, 60)} in this document.", "control", control)
    found = [(want, _found(control, want.definition, shown, backend, cancel)) for want in request.targets]
    others = [(want, _found(control, want.definition, shown, backend, cancel)) for want in request.others]
    first = next((each for _, each in found + others if each is not None and each.drag is not None), None)
    if first is None:
        raise BadInput(f"No filter of these layers has {control!r} as one end of a range of numbers.", "control")

    def fits(each: _Found | None) -> TypeGuard[_Found]:
        return each is not None and each.dataset is first.dataset and each.drag in (None, first.drag)

    resting = [(want, each) for want, each in others if fits(each)]
    moving = [want for want, each in resting if each.drag is not None]
    taking = tuple(
        (want, each.layer)
        for want, each in found
        if fits(each) and (each.drag is not None or any(other.filters(want.figure) for other in moving))
    )
    totals = [(want.control, _total(control, want, first, shown.document, cancel)) for want in request.numbers]
    if not taking or len(resting) < len(others) or not all(fits(total) for _, total in totals):
        raise BadInput(f"{control!r} does not move all of these as one range: ask for filtered layers.", "control")
    numbers = tuple(
        (name, TotalTarget(str(total.layer.agg), total.layer.filter))
        for name, total in totals
        if fits(total) and (total.drag is not None or moving)
    )
    rest = tuple((want, each.layer) for want, each in resting)
    return AskedBrush(first.dataset, taking[0][1], None, taking, rest, first.drag, numbers)


def _found(control: str, definition: Any, shown: Shown, backend: Resolving, cancel: Cancel) -> _Found | None:
    """A layer, or None where the control is in its filter, and no end of a range."""
    document = shown.document
    dataset, layer = backend.resolve(document, definition, shown.usage)
    values = definition.get("values", {})
    return _split(control, definition.get("filter", ""), values, _Found(dataset, layer, None), document, cancel)


def _split(control: str, text: str, given: Any, whole: _Found, document: Document, cancel: Cancel) -> _Found | None:
    """A layer of a filter without the comparison of a control in it."""
    dataset, layer = whole.dataset, whole.layer
    if not text or control not in parse(text).controls:
        return whole
    moving = moved_by(parse(text), control)
    if moving is None or (layer.glyph == "bar" and layer.sort != "label"):  # bars whose order the rows decide
        return None
    values = filter_values(document, all_values(document, given))
    if layer.filter != _text(bind(parse(text), values)):  # a guest's, which is joined with the document's own
        return None

    def complete(name: str) -> bool:
        return dataset.column(name, cancel=cancel).valid is None

    kind = dataset.info(moving.column).kind
    part = bind(moving.part, values)
    if kind not in _DRAGGED or (part is None and kind in _TIMES and not complete(moving.column)):
        return None
    ends = None if part is None else range_of(part, dataset, complete)
    if part is not None and ends is None:
        return None
    rest = None if moving.rest is None else bind(moving.rest, values)
    drag = Drag(SpanSource(moving.column), None if ends is None else Span(*ends))
    return _Found(dataset, replace(layer, filter=_text(rest)), drag)


def _total(control: str, want: NumberWant, first: _Found, document: Document, cancel: Cancel) -> _Found | None:
    """A live figure, as a layer whose reduction is its expression; None as for a layer."""
    spec = number_spec(want, document, first.dataset)
    kept = bound_filter(document, spec.filter, all_values(document, want.values))
    layer = Layer("points", first.layer.x, "", spec.expression, filter=kept)
    return _split(control, spec.filter, want.values, _Found(first.dataset, layer, None), document, cancel)


def number_spec(want: NumberWant, document: Document, of: Dataset) -> ControlSpec:
    """A live figure of a document. Raises BadInput unless it is there, and over a dataset."""
    spec = document.controls.get(want.control)
    if spec is None or spec.type != "number" or dataset_of(document, spec.dataset) is not of:
        raise BadInput(f"There is no live figure {echoed(want.control, 60)} over {of.name!r}.", "numbers", want.control)
    return spec


def _text(expression: Expression | None) -> str:
    return "" if expression is None else str(expression)
