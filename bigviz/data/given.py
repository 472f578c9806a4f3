"""Checks of arguments of public functions that have to be texts or lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.common.printable import encodable

__all__ = ["given_list", "given_text"]


def given_text(value: object, name: str, such_as: str = "") -> str:
    """The argument of that name, a text. Raises BadInput, with an example (`such_as`), for what is no text or cannot be
    encoded as UTF-8."""
    example = f', such as "{such_as}"' if such_as else ""
    if not isinstance(value, str):
        raise BadInput(f"{name} is a text{example}, got {echoed(value)}.", name, echoed(value))
    if encodable(value) != value:
        raise BadInput(f"{name} is a text{example}, got a lone surrogate of UTF-16: {value!a:.80}.", name)
    return value


def given_list(value: object, name: str, of: str) -> list[Any]:
    """The values of an argument that is to be a list of something (`of`). Raises BadInput for what cannot be iterated
    over, and for a text."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes) and getattr(value, "ndim", 1) > 0:
        return list(value)
    raise BadInput(f"{name} is a list of {of}, got {echoed(value)}.", name, echoed(value))
