"""The layers and live figures that a `brush` message means, where no control is dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from bigviz.common.errors import BadInput
from bigviz.document.controls.values import all_values
from bigviz.document.filter_text import bound_filter
from bigviz.server.brushes.dragged import number_spec
from bigviz.server.brushes.wanted import AskedBrush
from bigviz.tiles.interface import TotalTarget

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.server.brushes.wanted import BrushRequest, NumberWant
    from bigviz.server.documents.opened import Shown

__all__ = ["resolved"]


class Resolving(Protocol):
    """Finds the layers that definitions mean."""

    def resolve_shown(self, shown: Shown, value: object) -> tuple[Dataset, Layer]:
        """The dataset of a definition and its layer."""


def resolved(request: BrushRequest, shown: Shown, backend: Resolving) -> AskedBrush:
    """The layers of a message. Raises BadInput unless they are of one dataset, and what resolving a definition
    raises."""
    dataset, layer = _resolve(request.definition, shown, backend, None)
    targets = tuple((each, _resolve(each.definition, shown, backend, dataset)[1]) for each in request.targets)
    others = tuple((each, _resolve(each.definition, shown, backend, dataset)[1]) for each in request.others)
    numbers = tuple((each.control, _total(each, shown.document, dataset)) for each in request.numbers)
    return AskedBrush(dataset, layer, request.shape, targets, others, None, numbers)


def _total(want: NumberWant, document: Document, of: Dataset) -> TotalTarget:
    spec = number_spec(want, document, of)
    return TotalTarget(spec.expression, bound_filter(document, spec.filter, all_values(document, want.values)))


def _resolve(value: Any, shown: Shown, backend: Resolving, of: Dataset | None) -> tuple[Dataset, Layer]:
    dataset, layer = backend.resolve_shown(shown, value)
    if of is not None and dataset is not of:
        raise BadInput(
            f"A brush and what it shows are of one dataset, got {of.name!r} and {dataset.name!r}.", "definition"
        )
    return dataset, layer
