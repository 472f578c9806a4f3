"""`Dataset.where` in a callback: the server's engine answers, with the rights of the viewer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from bigviz.data.dataset import Dataset
from bigviz.data.filters.predicate import Predicate
from bigviz.data.filters.selected import Selected, python_value

__all__ = ["RemoteSelected", "number_json"]

Ask = Callable[[Mapping[str, Any]], tuple[dict[str, Any], bytes]]


class RemoteSelected(Selected):
    """Rows of the server's dataset `name`, which is the same as `dataset` here."""

    def __init__(self, ask: Ask, name: str, dataset: Dataset, predicate: Predicate) -> None:
        super().__init__(dataset, predicate)
        self._ask = ask
        self._name = name

    def count(self) -> int:
        """As `Selected` has it, and so are the others."""
        return int(self._number("count", None))

    def sum(self, column: str) -> Any:
        return self._number("sum", column)

    def mean(self, column: str) -> Any:
        return self._number("mean", column)

    def min(self, column: str) -> Any:
        return self._extreme(column, "min")

    def max(self, column: str) -> Any:
        return self._extreme(column, "max")

    def to_arrow(self, limit: int | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        _, body = self._asked("to_arrow", {"limit": limit, "columns": None if columns is None else list(columns)})
        return pa.ipc.open_stream(body).read_all()

    def _extreme(self, column: str, which: str) -> Any:
        return self._number(which, column)

    def _number(self, what: str, column: str | None) -> Any:
        answer, body = self._asked(what, {"column": column})
        return _value_in(body) if body else _number_of(answer["value"])

    def _asked(self, what: str, more: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        return self._ask({"what": what, "dataset": self._name, "filter": self.expression, **more})


def number_json(value: int | float | Decimal | None) -> list[str] | None:
    """A number as JSON that loses nothing."""
    if value is None:
        return None
    return [type(value).__name__, value.hex() if isinstance(value, float) else str(value)]


def _number_of(value: list[str] | None) -> int | float | Decimal | None:
    if value is None:
        return None
    kind, text = value
    if kind == "float":
        return float.fromhex(text)
    return Decimal(text) if kind == "Decimal" else int(text)


def _value_in(body: bytes) -> Any:
    """The one value of an Arrow stream, by which dates, times and texts keep their types; None for null."""
    found = pa.ipc.open_stream(body).read_all().column(0)
    return python_value(found[0]) if found.null_count == 0 else None
