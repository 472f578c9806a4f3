"""The route of a live figure: `/D/controls/ID.json`."""

from __future__ import annotations

import hashlib
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np

from bigviz.common.cancel import Cancel
from bigviz.common.errors import NotFound
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.data.filters.selected import Selected
from bigviz.document.controls.number_expression import parsed_number
from bigviz.document.filter_text import bound_filter
from bigviz.server.access.gate import Need
from bigviz.server.controls.options import read_options
from bigviz.server.http.base import Handler
from bigviz.server.jobs.layer_ref import values_in_query
from bigviz.server.open_datasets import dataset_of

__all__ = ["LiveFigure", "figure_of"]

_MAX_SAFE: Final = 2**53 - 1  # a browser rounds larger JSON numbers
_MOST_KEPT: Final = 1_024
_kept: dict[tuple[str, int, str, str], Any] = {}


class LiveFigure(Handler):
    """What a number control shows, with the values of other controls that the query gives as `p.ID`: exact, of the
    newest version of its dataset."""

    need = Need.shown()

    async def answer(self, *args: str) -> None:
        name, control = args
        shown, backend = await self.site.show(name, self.principal), await self.site.backend()
        document = shown.document
        spec = document.controls.get(control)
        if spec is None or spec.type != "number":
            raise NotFound(f"Document {name!r} has no live figure {control[:60]!r}.", "control", control[:60])
        await read_options(document)
        dataset = dataset_of(document, spec.dataset)
        kept = bound_filter(document, spec.filter, values_in_query(document, self.query))
        key = (dataset.fingerprint, dataset.version, spec.expression, kept)
        self.set_header("X-Bigviz-Version", dataset.version)
        if self.same(hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()):
            self.finish()
            return
        if key not in _kept:

            def call(cancel: Cancel) -> Any:
                return figure_of(dataset, spec.expression, kept, cancel)

            value = await backend.job(self.principal, ("number", *key), call)
            if len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)), None)
            _kept[key] = value
        self.write_json({"value": _kept[key], "version": dataset.version})
        self.finish()


def figure_of(dataset: Dataset, expression: str, kept: str, cancel: Cancel) -> int | float | str | None:
    """A live figure over the rows that a filter keeps ("": all), as JSON has it: whole numbers beyond 2^53, dates and
    times as texts, and null for no value, NaN and infinities. Raises Cancelled, and what `Dataset.where` does."""
    what, column = parsed_number(expression)
    if column is None and not kept:
        return _json(dataset.num_rows)
    selected = Selected(dataset, check(parse(kept or "true"), dataset), cancel)
    if column is None:
        return _json(selected.count())
    return _json(getattr(selected, what)(column))


def _json(value: Any) -> int | float | str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return int(value) if abs(value) <= _MAX_SAFE else str(int(value))
    if isinstance(value, float | Decimal | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)
