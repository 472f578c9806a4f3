"""Columns that are written in the names of directories: `year=2024/month=05/part-0.parquet`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.errors import BadInput
from bigviz.common.printable import encodable

__all__ = ["partition", "partitions"]

_NULL = "__HIVE_DEFAULT_PARTITION__"
_INTEGER = re.compile(r"-?\d{1,18}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def partitions(relative: Sequence[str]) -> dict[str, list[pa.Scalar]]:
    """For each key its value in each of the paths (relative to the table's directory, with forward slashes).

    A key whose values are all integers is int64, all ISO dates date32, anything else text; the null directory is null.
    Raises `BadInput` if the paths do not share their keys.
    """
    keyed = [_keys(path) for path in relative]
    if not keyed:
        return {}
    names = list(keyed[0])
    for path, keys in zip(relative, keyed, strict=True):
        if list(keys) != names:
            raise BadInput(
                f"The directories do not agree on their keys: {relative[0]} has {names}, {path} has {list(keys)}. "
                "Open one of the directories, or a glob of files.",
                field="source",
                got=path,
            )
    return {name: _typed([keys[name] for keys in keyed]) for name in names}


def partition(relative: str, types: Mapping[str, pa.DataType]) -> dict[str, pa.Scalar] | None:
    """What one more path of a table says, whose keys have these types already; None where it does not fit them."""
    keys = _keys(relative)
    if list(keys) != list(types):
        return None
    found = {}
    for name, type_ in types.items():
        value = keys[name]
        scalar = pa.scalar(value, type_) if value is None or pt.is_string(type_) else _typed([value])[0]
        if scalar.type != type_:
            return None
        found[name] = scalar
    return found


def _keys(path: str) -> dict[str, str | None]:
    keys: dict[str, str | None] = {}
    for step in path.split("/")[:-1]:
        name, equals, value = step.partition("=")
        if equals and name:
            keys[encodable(unquote(name))] = None if value == _NULL else encodable(unquote(value))
    return keys


def _typed(values: list[str | None]) -> list[pa.Scalar]:
    texts = [value for value in values if value is not None]
    if texts and all(_INTEGER.fullmatch(text) for text in texts):
        return [pa.scalar(None if value is None else int(value), pa.int64()) for value in values]
    if texts and all(_DATE.fullmatch(text) and _is_date(text) for text in texts):
        return [
            pa.scalar(None if value is None else datetime.date.fromisoformat(value), pa.date32()) for value in values
        ]
    return [pa.scalar(value, pa.string()) for value in values]


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True
