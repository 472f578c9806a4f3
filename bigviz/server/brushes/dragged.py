"""A control that is dragged as a brush: over the column that filters compare with it, in layers with the rest of these
filters. Everything here blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.filters.bind import bind
from bigviz.data.filters.dragged import moved_by, range_of
from bigviz.data.filters.parse import parse
from bigviz.document.controls.values import all_values, filter_values
from bigviz.server.brushes.wanted import Asked, Drag
from bigviz.tiles.interface import Span, SpanSource

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.common.cancel import Cancel
    from bigviz.data.dataset import Dataset
    from bigviz.data.filters.tree import Expression
    from bigviz.document.spec import Document
    from bigviz.server.brushes.wanted import BrushRequest
    from bigviz.server.documents.opened import Shown
    from bigviz.server.jobs.usage import Usage

__all__ = ["dragged"]

_TIMES: Final = ("timestamp", "date", "time", "duration")
_DRAGGED: Final = ("integer", "float", *_TIMES)


class Resolving(Protocol):
    """Who resolves definitions."""

    def resolve(self, document: Document, value: object, usage: Usage) -> tuple[Dataset, Layer]:
        """The dataset and the checked layer of a definition, as `usage` allows."""


@dataclass(frozen=True)
class _Found:
    """A target's layer without the comparison that moves."""

    dataset: Dataset
    layer: Layer
    drag: Drag


def dragged(request: BrushRequest, shown: Shown, backend: Resolving, cancel: Cancel) -> Asked:
    """A message with a `control`, whose targets have definitions with the control's value in them.

    The targets left are those that one range of one column moves, that of the first which has one: others have to be
    asked for as filtered layers. Every definition is resolved whole first, so no one sees by a drag what the filtered
    layer does not show. Raises BadInput where no target is left, and what resolving a definition raises.
    """
    control = str(request.control)
    if control not in shown.document.controls:
        raise BadInput(f"There is no control {echoed(control, 60)} in this document.", "control", control)
    found = [(want, _found(control, want.definition, shown, backend, cancel)) for want in request.targets]
    first = next((each for _, each in found if each is not None), None)
    if first is None:
        raise BadInput(f"No filter of these layers has {control!r} as one end of a range of numbers.", "control")
    taking = tuple(
        (want, each.layer)
        for want, each in found
        if each is not None and each.dataset is first.dataset and each.drag == first.drag
    )
    return Asked(first.dataset, taking[0][1], None, taking, (), first.drag)


def _found(control: str, definition: Any, shown: Shown, backend: Resolving, cancel: Cancel) -> _Found | None:
    """A target, or None where the control is no end of a range in its filter."""
    document = shown.document
    dataset, layer = backend.resolve(document, definition, shown.usage)
    text = definition.get("filter", "")
    moving = moved_by(parse(text), control) if text else None
    if moving is None or (layer.glyph == "bar" and layer.sort != "label"):  # bars whose order the rows decide
        return None
    values = filter_values(document, all_values(document, definition.get("values", {})))
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


def _text(expression: Expression | None) -> str:
    return "" if expression is None else str(expression)
