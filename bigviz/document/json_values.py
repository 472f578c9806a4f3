"""Strict JSON, and readers of single values: each takes a value and its path in the document; errors name both."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, Final, TypeVar, cast

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput

__all__ = [
    "Read", "between", "flag", "instance", "join", "list_of", "matching", "number", "one_of", "optional", "parse_json",
    "read_object",
    "text", "wrong",
]  # fmt: skip

T = TypeVar("T")
Read = Callable[[Any, str], Any]

_LONGEST_TEXT: Final = 10_000


def parse_json(text: str | bytes) -> Any:
    """A JSON value. Raises BadInput for what is not JSON, for a key that is given twice and for NaN."""
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(plain, object_pairs_hook=_unique, parse_constant=_no_number)
    except RecursionError as error:
        raise BadInput("This JSON is nested too deep for a document.") from error
    except ValueError as error:
        raise BadInput(f"Expected a document as JSON: {error}.") from error


def read_object(value: Any, path: str, readers: Mapping[str, Read], required: Sequence[str] = ()) -> dict[str, Any]:
    """The values of an object whose keys are all known, each as its reader gives it."""
    if not isinstance(value, dict):
        raise wrong(path, "an object", value)
    if not readers.keys() >= value.keys():
        key = next(key for key in value if key not in readers)
        allowed, place = ", ".join(readers), join(path, str(key))
        raise BadInput(f"{place}: unknown key; the keys here are {allowed}.", place, key)
    for key in required:
        if key not in value:
            raise BadInput(f"{join(path, key)} is missing.", join(path, key))
    prefix = join(path, "")
    return {key: readers[key](each, prefix + key) for key, each in value.items()}


def instance(cls: type[T], readers: Mapping[str, Read], value: Any, path: str) -> T:
    """An object as a dataclass without `__post_init__`; keys may be absent where its fields have a default."""
    needed, defaults = _fields_of(cast(Any, cls))
    made: T = object.__new__(cls)
    # `__init__` of a frozen class sets its fields one by one through a method, which is half of the time of reading.
    vars(made).update(defaults)
    vars(made).update(read_object(value, path, readers, needed))
    return made


def list_of(read: Read, most: int = 100_000, least: int = 0) -> Read:
    """A list, as a tuple."""
    length = f"at most {most}" if least == 0 else f"{least} to {most}"

    def reader(value: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise wrong(path, f"a list of {length}", value)
        return tuple(read(each, f"{path}[{at}]") for at, each in enumerate(value))

    return reader


def optional(read: Read) -> Read:
    """null, as None, or what `read` takes."""
    return lambda value, path: None if value is None else read(value, path)


def one_of(allowed: Sequence[str]) -> Read:
    """One of some words."""

    def reader(value: Any, path: str) -> Any:
        if value not in allowed:
            raise wrong(path, f"one of {', '.join(allowed)}", value)
        return value

    return reader


def matching(pattern: re.Pattern[str], what: str) -> Read:
    """A text that a pattern matches to its end."""

    def reader(value: Any, path: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise wrong(path, what, value)
        return value

    return reader


def text(value: Any, path: str) -> str:
    """A text that can be written as UTF-8."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise wrong(path, f"a text of at most {_LONGEST_TEXT} characters", value)
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        raise wrong(path, "whole characters, not half a surrogate pair", value)
    return value


def flag(value: Any, path: str) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise wrong(path, "true or false", value)
    return value


def number(value: Any, path: str) -> float:
    """A finite number, int or float as it came."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise wrong(path, "a finite number", value)
    return value


def between(low: float, high: float, above: bool = False) -> Read:
    """A number from `low` (or above it) to `high`."""
    what = f"a number {'above' if above else 'from'} {low} {'and at most' if above else 'to'} {high}"

    def reader(value: Any, path: str) -> float:
        found = number(value, path)
        if not low <= found <= high or (above and found == low):
            raise wrong(path, what, value)
        return found

    return reader


def join(path: str, key: str) -> str:
    """The path of a key of the object at `path`."""
    return f"{path}.{key}" if path else key


def wrong(path: str, expected: str, got: Any) -> BadInput:
    """What to raise for a value of another form than expected."""
    shown = echoed(got)
    return BadInput(f"{path or 'The document'}: expected {expected}, got {shown}.", path or None, shown)


@cache
def _fields_of(cls: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of a dataclass's fields that have no default, and all fields in their order, each with its default or
    None."""
    needed = tuple(f.name for f in fields(cls) if f.default is MISSING)
    return needed, {f.name: None if f.default is MISSING else f.default for f in fields(cls)}


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond the doubles
        return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {echoed(twice)} is given twice in one object")
    return out


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")
