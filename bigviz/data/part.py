"""One file of a dataset, and how its reader's errors become bigviz's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from bigviz.data.arrays import admit
from bigviz.data.errors import TooLarge, Unreadable
from bigviz.data.files import StableFile

__all__ = ["Part", "Piece", "admitted", "guarded", "reading"]

_LACKING = re.compile(r"not (yet )?(implemented|supported)|unsupported", re.IGNORECASE)


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
    def unusable(self) -> Mapping[int, str]:
        """Columns that cannot be read though the others can, by position, and why: "holds 128-bit integers"."""
        ...

    @property
    def num_rows(self) -> int: ...

    @property
    def digest(self) -> bytes:
        """What distinguishes this content from another of the same size and time, as far as it is known without
        reading all."""
        ...

    @property
    def pieces(self) -> Sequence[Piece]: ...

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """The column's values in the rows of the piece, in order; not validated. Text may come dictionary-encoded."""
        ...

    def direct(self, index: int) -> pa.ChunkedArray | None:
        """The column if it is in memory anyway, else None."""
        ...


@contextmanager
def reading(what: str, format_: str | None = None, in_memory: bool = False) -> Iterator[None]:
    """Turn what pyarrow raises into `Unreadable` that names the file or column (`what`) and the reason.

    Besides Arrow's own errors (which are ValueErrors, OSErrors and others) some damaged files raise
    UnicodeDecodeError, and sizes that lie raise MemoryError or OverflowError. Only what can come of damage to a file
    is called damaged: not what pyarrow lacks, what the system refuses, or what is wrong with an object in memory.
    """
    try:
        yield
    except MemoryError as error:
        cause = "It is too large for this machine." if in_memory else "It is damaged, or too large for this machine."
        raise TooLarge(
            f"{what} asks for more memory than there is: {_reason(error)}. {cause}",
            got=what,
        ) from error
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        ArithmeticError,
        NotImplementedError,
        pa.ArrowException,
    ) as error:
        reason = _reason(error)
        if "ecrypt" in reason:
            raise Unreadable(
                f"{what} is encrypted; bigviz has no keys: decrypt it first ({reason}).", got=what
            ) from error
        as_format = f" as {format_}" if format_ else ""
        raise Unreadable(
            f"{what} cannot be read{as_format}: {reason}. {_advice(error, reason, in_memory)}", got=what
        ) from error


def _advice(error: BaseException, reason: str, in_memory: bool) -> str:
    if isinstance(error, NotImplementedError) or _LACKING.search(reason):
        return f"pyarrow {pa.__version__} does not support this: write it in another way, or leave it out."
    if in_memory:
        return "Its values do not fit its type: convert them, or leave it out."
    if isinstance(error, OSError) and error.errno is not None:
        return "Check the file, its permissions and its disk."
    return "It is damaged or was not written to its end; write or copy it again."


def admitted(arrays: Iterable[pa.Array], what: str, in_memory: bool = False) -> Iterator[pa.Array]:
    """The same arrays, validated before anything else touches them."""
    for array in arrays:
        with reading(what, in_memory=in_memory):
            admit(array)
        yield array


def guarded(items: Iterable[pa.Array], path: str, format_: str) -> Iterator[pa.Array]:
    """The same items; only errors of the iterator itself are turned, not those of whoever consumes it."""
    iterator = iter(items)
    while True:
        with reading(path, format_):
            item = next(iterator, None)
        if item is None:
            return
        yield item


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return (text if len(text) <= 300 else text[:300] + "…").rstrip(".")
