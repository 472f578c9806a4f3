"""One schema for the files of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.column import Unusable
from bigviz.data.columns.kinds import storage_type
from bigviz.data.columns.merged_type import is_rounded, merged
from bigviz.data.formats.geometry import CRS

__all__ = ["merge_schemas"]


@dataclass
class _Seen:
    """The types of one column, each with the first file that has it, why it cannot be used, if that is known, and the
    reference systems that its files name."""

    types: dict[pa.DataType, str] = field(default_factory=dict)
    unusable: Unusable | None = None
    systems: set[bytes | None] = field(default_factory=set)


def merge_schemas(
    files: Sequence[tuple[pa.Schema, Mapping[int, Unusable], str]],
) -> tuple[pa.Schema, dict[int, Unusable], list[str]]:
    """One schema for files of (schema, reasons why columns cannot be used, path): the first one's columns, then what
    others add.

    A column whose types cannot be merged has the null type and a reason, which names two files and their types. The
    sentences tell of columns whose numbers are rounded or whose zone is changed.
    """
    columns: dict[str, _Seen] = {}
    last: pa.Schema | None = None
    known: set[bytes] = set()
    for schema, unusable, path in files:
        if last is not None and not unusable and schema.equals(last):
            continue
        key = schema.serialize().to_pybytes()
        if key not in known or unusable:
            _take_in(columns, schema, unusable, path)
        known.add(key)
        last = schema
    fields: list[pa.Field] = []
    all_unusable: dict[int, Unusable] = {}
    notes: list[str] = []
    for name, seen in columns.items():
        type_ = None if seen.unusable and not seen.unusable.readable else merged(list(seen.types))
        if seen.unusable and (type_ is not None or not seen.unusable.readable):
            all_unusable[len(fields)] = seen.unusable
        elif type_ is None:
            all_unusable[len(fields)] = Unusable(_conflict(seen.types))
        elif len(seen.types) > 1:
            notes += _changes(name, seen.types, type_)
        (system,) = seen.systems if len(seen.systems) == 1 else (None,)
        fields.append(pa.field(name, pa.null() if type_ is None else type_, metadata=system and {CRS: system}))
    return pa.schema(fields), all_unusable, notes


def _take_in(columns: dict[str, _Seen], schema: pa.Schema, unusable: Mapping[int, Unusable], path: str) -> None:
    repeated = {name: times for name, times in Counter(schema.names).items() if times > 1}
    for index, each in enumerate(schema):
        seen = columns.setdefault(each.name, _Seen())
        seen.systems.add((each.metadata or {}).get(CRS))
        found = unusable.get(index)
        if each.name in repeated:
            found = Unusable(f"occurs {repeated[each.name]} times in {path}")
        elif found is None or found.readable:
            seen.types.setdefault(each.type, path)
        else:
            found = Unusable(f"{found.reason} (in {path})")
        if found and (seen.unusable is None or (seen.unusable.readable and not found.readable)):
            seen.unusable = found


def _conflict(types: Mapping[pa.DataType, str]) -> str:
    """Two types that have none in common, and their files."""
    for (one, first), (other, second) in combinations(types.items(), 2):
        if merged([one, other]) is None:
            return f"is {one} in {first} and {other} in {second}, and no type holds both"
    return f"has types that no type holds: {', '.join(f'{type_} in {path}' for type_, path in types.items())}"


def _changes(name: str, types: Mapping[pa.DataType, str], into: pa.DataType) -> list[str]:
    (one, first), *others = types.items()
    other, second = next(((other, path) for other, path in others if other != into), others[0])
    differs = f"Column {name!r} is {one} in {first} and {other} in {second}"
    if is_rounded(types, into):
        return [f"{differs}: it is opened as {into}, which holds whole numbers exactly up to 2^53."]
    stamps = [storage_type(type_) for type_ in types if pt.is_timestamp(storage_type(type_))]
    if len({type_.tz for type_ in stamps}) > 1:
        return [f"{differs}: it is shown in UTC."]
    return []
