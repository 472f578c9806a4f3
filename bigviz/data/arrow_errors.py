"""Errors of pyarrow as bigviz's own, with what was being read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from bigviz.common.errors import TooLarge, Unreadable

__all__ = ["reading", "reason_of"]

_LACKING = re.compile(r"not (yet )?(implemented|supported)|unsupported", re.IGNORECASE)


@contextmanager
def reading(what: str, format_: str | None = None, in_memory: bool = False) -> Iterator[None]:
    """Turn what pyarrow raises into `Unreadable` that names the file or column (`what`) and the reason.

    In addition to Arrow's own errors (ValueErrors, OSErrors and others) some damaged files raise
    UnicodeDecodeError, and sizes that lie raise MemoryError or OverflowError. Only what can come of damage to a file
    is called damaged: not what pyarrow lacks, what the system refuses, or what is wrong with an object in memory.
    """
    try:
        yield
    except MemoryError as error:
        cause = "It is too large for this machine." if in_memory else "It is damaged, or too large for this machine."
        raise TooLarge(
            f"{what} asks for more memory than there is: {reason_of(error)}. {cause}",
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
        reason = reason_of(error)
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


def reason_of(error: BaseException) -> str:
    """The first line of a message, without its full stop."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return (text if len(text) <= 300 else text[:300] + "…").rstrip(".")
