"""The errors that bigviz raises on purpose: one class for each thing a caller can do about it.

The server maps a class to an HTTP status in one dict, so a room below raises the class that says what went wrong and
knows no status. A message says what was expected, what came, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from bigviz.common.printable import printable

__all__ = [
    "BadInput",
    "BigvizError",
    "Busy",
    "Cancelled",
    "Conflict",
    "Forbidden",
    "Gone",
    "NoSpace",
    "NotFound",
    "OutOfDate",
    "TooLarge",
    "TooMany",
    "Unauthorized",
    "Unplottable",
    "Unreadable",
    "naming",
    "out_of_memory",
]


class BigvizError(Exception):
    """The base of bigviz's own errors.

    `message` is one or two sentences for the user, `field` the name of the argument that was wrong (None where no
    single one was), `got` the value that came, `at` the 0-based character where a text is wrong (None where
    there is none). In a message everything that a terminal would obey is escaped, new lines too, but for classes whose
    messages have `several_lines`.
    """

    several_lines: ClassVar[bool] = False

    def __init__(self, message: str, field: str | None = None, got: object = None, at: int | None = None) -> None:
        message = printable(message, keep="\n" if self.several_lines else "")
        super().__init__(message)
        self.message = message
        self.field = field
        self.got = got
        self.at = at


class BadInput(BigvizError):
    """An argument has the wrong form or lies outside what is allowed."""


class Unauthorized(BigvizError):
    """Nobody has said who they are, or what they said is wrong or has expired."""


class Forbidden(BigvizError):
    """The caller may see this, but may not do that with it."""


class NotFound(BigvizError):
    """A path, dataset, column, document or user of that name does not exist, or the caller may not know of it."""


class Conflict(BigvizError):
    """It cannot be done to what is there now: the name is taken, or something else needs what is to be removed."""


class OutOfDate(BigvizError):
    """What was to be changed has another version than the caller expected.

    `version` is the one that is there, None where there is none.
    """

    def __init__(self, message: str, field: str | None = None, got: object = None, version: int | None = None) -> None:
        super().__init__(message, field, got)
        self.version = version


class Gone(BigvizError):
    """What the caller wants to go on from is not kept any more."""


class TooLarge(BigvizError):
    """The request, or the file, is larger than a limit or than the memory that is free."""


class Unreadable(BigvizError):
    """A source is damaged, encrypted, of an unknown format, or is no longer what it was when it was opened."""


class Unplottable(BigvizError):
    """The column exists but holds nothing that could be put on an axis."""


class Busy(BigvizError):
    """The server has as much to do as it accepts; the same request may succeed later."""


class TooMany(BigvizError):
    """The caller asks more often than it may; after `retry_after` seconds the same request may succeed."""

    def __init__(self, message: str, field: str | None = None, got: object = None, retry_after: float = 1.0) -> None:
        super().__init__(message, field, got)
        self.retry_after = retry_after


class NoSpace(BigvizError):
    """The disk has no room for what was to be kept; nothing of it was kept."""


class Cancelled(BigvizError):
    """The work was cancelled, because nobody waits for its result."""

    def __init__(self, message: str = "cancelled", field: str | None = None, got: object = None) -> None:
        super().__init__(message, field, got)


def out_of_memory() -> Busy:
    """What is answered where NumPy, Arrow, numba or Python itself could not allocate memory: a new error, since the
    traceback of theirs keeps alive what was made until then."""
    return Busy("The server has not enough memory free for this: ask for less, or try again later.")


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Name the field in errors that do not name one."""
    try:
        yield
    except BigvizError as error:
        error.field = error.field or field
        raise
