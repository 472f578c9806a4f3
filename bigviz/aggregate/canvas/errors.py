"""The errors of `Canvas`: bigviz's own, which are also those that datashader's users catch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bigviz.common.errors import BadInput, BigvizError, NotFound, TooLarge, Unplottable

__all__ = ["also_builtin"]


class BadValue(BadInput, ValueError):
    """BadInput that is a ValueError."""


class NoColumn(NotFound, KeyError, ValueError):
    """NotFound that is a KeyError, as pandas raises for a column, and a ValueError, as datashader does."""

    def __str__(self) -> str:
        return self.message


class NoNumbers(Unplottable, ValueError):
    """Unplottable that is a ValueError."""


class TooBig(TooLarge, ValueError):
    """TooLarge that is a ValueError."""


_ALSO: Final[dict[type[BigvizError], type[BigvizError]]] = {
    BadInput: BadValue,
    NotFound: NoColumn,
    Unplottable: NoNumbers,
    TooLarge: TooBig,
}


@contextmanager
def also_builtin() -> Iterator[None]:
    """Raise bigviz's errors as classes that are ValueError too, and KeyError for what is not found."""
    try:
        yield
    except BigvizError as error:
        made = _ALSO.get(type(error))
        if made is None:
            raise
        raise made(error.message, error.field, error.got, error.at).with_traceback(error.__traceback__) from None
