"""What live figures show: computed once for all who ask the same, and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

import numpy as np

from bigviz.common.cancel import Cancel
from bigviz.common.web.safe_numbers import finite, safe
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.data.filters.selected import Selected
from bigviz.document.controls.number_expression import parsed_number
from bigviz.document.controls.spec import ControlSpec
from bigviz.document.filter_text import bound_filter
from bigviz.document.spec import Document
from bigviz.server.access.principal import Principal
from bigviz.server.jobs.layer_ref import values_in_query
from bigviz.server.open_datasets import dataset_of

__all__ = ["AskedFigure", "FigureValue", "FigureValues", "figure_json", "figure_of"]

FigureValue = int | float | str | None

_MOST_KEPT: Final = 1_024


@dataclass(frozen=True)
class AskedFigure:
    """A live figure of one version of a dataset; `kept` is the filter with the values of controls in it."""

    dataset: Dataset
    expression: str
    kept: str

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What its value depends on."""
        return self.dataset.fingerprint, self.dataset.version, self.expression, self.kept

    @property
    def etag(self) -> str:
        """A name of its value: 32 hexadecimal digits."""
        return hashlib.blake2b(repr(self.key).encode(), digest_size=16).hexdigest()


class FigureValues:
    """The values that were computed, as many as are kept. `job` runs a call for a principal, once for all who ask for
    it under the same key at a time."""

    def __init__(self, job: Callable[[Principal, Hashable, Callable[[Cancel], Any]], Awaitable[Any]]) -> None:
        self._job = job
        self._kept: dict[tuple[str, int, str, str], FigureValue] = {}

    def asked(self, document: Document, spec: ControlSpec, get: Callable[[str], str | None]) -> AskedFigure:
        """A `number` of a document, with the values of other controls that a query gives. Raises BadInput."""
        kept = bound_filter(document, spec.filter, values_in_query(document, get))
        return AskedFigure(dataset_of(document, spec.dataset), spec.expression, kept)

    async def value(self, principal: Principal, figure: AskedFigure) -> FigureValue:
        """Its value, as `figure_of` gives it; raises the same."""
        if figure.key not in self._kept:
            call = partial(figure_of, figure.dataset, figure.expression, figure.kept)
            value = await self._job(principal, ("number", *figure.key), call)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[figure.key] = value
        return self._kept[figure.key]


def figure_of(dataset: Dataset, expression: str, kept: str, cancel: Cancel) -> FigureValue:
    """A live figure over the rows that a filter keeps ("": all), as JSON has it: whole numbers beyond 2^53, dates and
    times as texts, durations in seconds, and null for no value, NaN and infinities. Raises Cancelled, and what
    `Dataset.where` does."""
    what, column = parsed_number(expression)
    if column is None and not kept:
        return figure_json(dataset.num_rows)
    selected = Selected(dataset, check(parse(kept or "true"), dataset), cancel)
    if column is None:
        return figure_json(selected.count())
    return figure_json(getattr(selected, what)(column))


def figure_json(value: Any) -> FigureValue:
    """A value as JSON has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return safe(int(value))
    if isinstance(value, float | Decimal | np.floating):
        return finite(float(value))
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.timedelta64):
        return float(value / np.timedelta64(1, "s"))
    return str(value)
