"""What a viewer has selected in a figure, as a callback gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput

__all__ = ["Selection"]

Ask = Callable[[Mapping[str, Any]], tuple[dict[str, Any], bytes]]
_MOST_ROWS: Final = 1 << 31


class Selection:
    """Rows of a figure's layer. The server keeps them for an hour; afterwards `rows` and `table` raise NotFound."""

    def __init__(self, ask: Ask, facts: Mapping[str, Any]) -> None:
        self._ask = ask
        self._id: str = facts["id"]
        self._count: int = facts["rows"]
        self._expression: str | None = facts["expression"]

    def __repr__(self) -> str:
        return f"<Selection of {self._count:,} rows>"

    @property
    def count(self) -> int:
        """How many rows are selected."""
        return self._count

    @property
    def expression(self) -> str | None:
        """The filter that keeps these rows, where one can say it (a box, a range); None for a lasso."""
        return self._expression

    def rows(self, limit: int | None = None) -> npt.NDArray[np.int64]:
        """The numbers of the selected rows, in file order, at most `limit` of them."""
        found = self._read({"rows": True, "limit": _checked(limit)})
        return np.asarray(found.column(0).to_numpy(), np.int64)

    def table(self, columns: Sequence[str] | None = None, limit: int | None = None) -> pa.Table:
        """The selected rows with these columns (None: all), in file order, at most `limit` of them."""
        names = None if columns is None else list(columns)
        return self._read({"rows": False, "columns": names, "limit": _checked(limit)})

    def _read(self, more: Mapping[str, Any]) -> pa.Table:
        _, body = self._ask({"what": "selection", "selection": self._id, **more})
        return pa.ipc.open_stream(body).read_all()


def _checked(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= _MOST_ROWS):
        raise BadInput(f"limit is a whole number from 0, or None, got {echoed(limit, 40)}.", "limit", echoed(limit, 40))
    return limit
