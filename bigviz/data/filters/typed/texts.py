"""Texts of rows, and conditions on them: worked out once a label, then looked up by code."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bigviz.data.filters.cells import Bools, Labelled, PerLabels, Rows, Truths, Vector, everywhere
from bigviz.data.filters.typed.conditions import Leaf, Statistic, Unsure, judged
from bigviz.data.filters.typed.outcomes import NULL, TRUE, UNKNOWN

__all__ = [
    "PAIRS",
    "Changed",
    "PairTest",
    "TextColumn",
    "TextConstant",
    "TextLength",
    "TextTest",
    "TextValue",
    "TextsCompared",
]

_MOST_RUNS: Final = 2
_Places = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]
_OPS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
PAIRS: Final[dict[str, Callable[[str, str], bool]]] = {
    **_OPS,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": operator.contains,
}
"""What two texts are compared by; Python orders texts by code points."""


class TextValue(Protocol):
    """A text of each row."""

    @property
    def kind(self) -> str: ...

    @property
    def sources(self) -> tuple[tuple[str, str], ...]: ...

    def labelled(self, rows: Rows) -> Labelled: ...

    def valid(self, rows: Rows) -> Bools | None: ...


class _Text:
    kind = "text"
    sources: tuple[tuple[str, str], ...] = ()

    def labelled(self, rows: Rows) -> Labelled:
        raise NotImplementedError

    def valid(self, rows: Rows) -> Bools | None:
        return self.labelled(rows).valid


class TextColumn(_Text):
    """A category."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sources = ((name, "text"),)

    def labelled(self, rows: Rows) -> Labelled:
        cells = rows(self.name)
        return Labelled(cells.values, cells.valid, cells.categories or ())  # type: ignore[arg-type]


class TextConstant(_Text):
    """A text that is the same in every row."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._labelled = Labelled(np.zeros(1, np.int32), None, (text,))

    def labelled(self, rows: Rows) -> Labelled:
        return self._labelled


class Changed(_Text):
    """`lower` or `upper` of texts, letter by letter: ß stays one letter, as in Arrow and SQL."""

    def __init__(self, name: str, of: TextValue) -> None:
        self.of = of
        self.sources = of.sources
        change = {"lower": pc.utf8_lower, "upper": pc.utf8_upper}[name]
        self._changed = PerLabels(lambda labels: tuple(change(pa.array(labels, pa.string())).to_pylist()))

    def labelled(self, rows: Rows) -> Labelled:
        codes, valid, labels = self.of.labelled(rows)
        return Labelled(codes, valid, self._changed(labels))


class TextLength:
    """The number of code points, an integer."""

    kind = "integer"
    scale = 0
    zone: str | None = None

    def __init__(self, of: TextValue) -> None:
        self.of = of
        self.sources = of.sources
        self._lengths = PerLabels(lambda labels: np.array([len(each) for each in labels], np.int64))

    def vector(self, rows: Rows) -> Vector:
        codes, valid, labels = self.of.labelled(rows)
        return Vector(_looked_up(self._lengths(labels), codes), valid)

    def valid(self, rows: Rows) -> Bools | None:
        return self.of.valid(rows)


class TextTest(Leaf):
    """A condition on one text. `ends` are the least and the greatest text that can fulfil it, where that is known."""

    def __init__(
        self, of: TextValue, test: Callable[[str], bool], ends: tuple[str | None, str | None] = (None, None)
    ) -> None:
        self.of = of
        self._ends = ends
        self._table = PerLabels(lambda labels: _Table(np.fromiter(map(test, labels), np.bool_, len(labels))))

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        codes, valid, labels = self.of.labelled(rows)
        return judged(self._table(labels).of(codes), valid, nulls)

    def outcomes(self, statistic: Statistic) -> int:
        known = statistic(self.of.name) if isinstance(self.of, TextColumn) else None
        if known is None:
            return UNKNOWN
        low, high = self._ends
        below = low is not None and isinstance(known.high, str) and known.high < low
        above = high is not None and isinstance(known.low, str) and known.low > high
        kept = UNKNOWN & ~TRUE if below or above or not known.values else UNKNOWN
        return kept if known.nulls else kept & ~NULL

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return iter(())


class TextsCompared(Leaf):
    """Two texts of each row compared by = < <= > or >=: by their places among the labels of both."""

    def __init__(self, op: str, left: TextValue, right: TextValue) -> None:
        self.left, self.right, self._op = left, right, _OPS[op]
        self._recent: tuple[tuple[str, ...], tuple[str, ...], _Places] | None = None

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        left, right = self.left.labelled(rows), self.right.labelled(rows)
        places = self._places(left.labels, right.labels)
        one, other = (_looked_up(each, text.codes) for each, text in zip(places, (left, right), strict=True))
        return judged(np.asarray(self._op(one, other)), everywhere(left.valid, right.valid), nulls)

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return iter(())

    def _places(self, left: tuple[str, ...], right: tuple[str, ...]) -> _Places:
        recent = self._recent
        if recent is not None and recent[0] is left and recent[1] is right:
            return recent[2]
        place = {label: at for at, label in enumerate(sorted({*left, *right}))}
        one, other = (np.fromiter(map(place.__getitem__, each), np.int32, len(each)) for each in (left, right))
        self._recent = left, right, (one, other)
        return one, other


class PairTest(Leaf):
    """A condition on two texts of each row."""

    def __init__(self, left: TextValue, right: TextValue, test: Callable[[str, str], bool]) -> None:
        self.left, self.right, self._test = left, right, test

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        left, right = self.left.labelled(rows), self.right.labelled(rows)
        valid = everywhere(left.valid, right.valid)
        if not left.labels or not right.labels:
            return judged(np.zeros(len(left.codes), np.bool_), valid, nulls)
        pairs = left.codes.astype(np.int64) * len(right.labels) + right.codes
        if valid is not None:
            pairs = np.where(valid, pairs, 0)
        different, places = np.unique(pairs, return_inverse=True)
        found = [self._test(left.labels[at // len(right.labels)], right.labels[at % len(right.labels)])
                 for at in different.tolist()]  # fmt: skip
        return judged(np.array(found, np.bool_)[places], valid, nulls)

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return iter(())


def _looked_up(table: Any, codes: Any) -> Any:
    """The entry of each code; anything where a code stands for null, which may be no label's."""
    if not len(table):
        return np.zeros(len(codes), table.dtype)
    return table.take(codes, mode="wrap")


class _Table:
    """Which codes fulfil a condition: looked up, or, where they are one or two runs, compared."""

    def __init__(self, fulfil: Bools) -> None:
        self._fulfil = fulfil
        edges = np.flatnonzero(np.diff(fulfil, prepend=False, append=False))
        self._runs = edges.reshape(-1, 2).tolist() if len(edges) <= 2 * _MOST_RUNS else None

    def of(self, codes: Any) -> Bools:
        """Where they do; anything where a code is no label's."""
        if self._runs is None:
            return np.asarray(_looked_up(self._fulfil, codes))
        found: Bools | None = None
        for first, stop in self._runs:
            run = codes == first if stop - first == 1 else (codes >= first) & (codes < stop)
            found = run if found is None else found | run
        return np.zeros(len(codes), np.bool_) if found is None else found
