"""What a reader of one file gives, and its arrays checked and counted as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from bigviz.common.errors import Unreadable
from bigviz.data.arrow_errors import reading
from bigviz.data.columns.arrow_arrays import admit
from bigviz.data.columns.column import Unusable
from bigviz.data.formats.stable_file import StableFile

__all__ = ["Part", "Piece", "admitted", "counted", "damaged", "guarded"]


@dataclass(frozen=True)
class Piece:
    """Rows of a part that are read by one thread: `count` from `start` on, in the row groups `groups`."""

    start: int
    count: int
    groups: tuple[int, ...] = ()


class Part(Protocol):
    """One file. Reading several pieces at a time is allowed."""

    @property
    def file(self) -> StableFile: ...

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def unusable(self) -> Mapping[int, Unusable]:
        """Columns that cannot be plotted or read though the others can, by position, and why."""
        ...

    @property
    def num_rows(self) -> int: ...

    @property
    def digest(self) -> bytes:
        """What distinguishes this content from another of the same size and time, if that is known without reading all
        of it."""
        ...

    @property
    def pieces(self) -> Sequence[Piece]: ...

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """The column's values in the rows of the piece, in order; not validated. Text may come dictionary-encoded."""
        ...

    def direct(self, index: int) -> pa.ChunkedArray | None:
        """The column if it is in memory anyway, else None."""
        ...


def admitted(arrays: Iterable[pa.Array], what: str, in_memory: bool = False) -> Iterator[pa.Array]:
    """The same arrays, validated before anything else touches them."""
    for array in arrays:
        with reading(what, in_memory=in_memory):
            admit(array)
        yield array


def guarded(items: Iterable[pa.Array], path: str, format_: str) -> Iterator[pa.Array]:
    """The same items; only errors of the iterator itself are turned, not those of its consumer."""
    iterator = iter(items)
    while True:
        with reading(path, format_):
            item = next(iterator, None)
        if item is None:
            return
        yield item


def counted(arrays: Iterable[pa.Array], rows: int, error: Unreadable) -> Iterator[pa.Array]:
    """The same arrays, as long as they are not more than `rows` rows; raises `error` if there are more or fewer."""
    left = rows
    for array in arrays:
        left -= len(array)
        if left < 0:
            break
        yield array
    if left != 0:
        raise error


def damaged(path: str, what: str) -> Unreadable:
    """The error for a file that contradicts itself; `what` is a clause that says how."""
    return Unreadable(f"{path} is damaged: {what}. Write or copy it again.", got=path)
