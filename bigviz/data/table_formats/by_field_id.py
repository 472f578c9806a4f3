"""A file with the columns of its table, found by their field ids: when it was written, names may have been others.

https://iceberg.apache.org/spec/#column-projection
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from bigviz.common.errors import Unreadable
from bigviz.data.columns.column import Unusable
from bigviz.data.columns.kinds import storage_type
from bigviz.data.formats.file_part import Part, Piece
from bigviz.data.formats.parquet import ParquetPart
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.statistics.values import Statistics

__all__ = ["ColumnsById", "TableColumn"]

_ID: Final = b"PARQUET:field_id"
_NULLS: Final = 1 << 20


@dataclass(frozen=True)
class TableColumn:
    """A column of a table: its id, what it is called now, and its type, inner names and ids with it. `otherwise`: what
    it is said to hold in files that lack it; None where these hold null."""

    id: int
    field: pa.Field
    otherwise: str | None = None


class ColumnsById:
    """A part with the columns of its table, in their order and by their names; those that its file lacks are null.

    Raises `Unreadable` for a file without field ids, for one that lacks what is not null in it, and for a nested column
    that is not as it was.
    """

    def __init__(self, part: Part, columns: Sequence[TableColumn]) -> None:
        self._part = part
        self.file: StableFile = part.file
        self.num_rows: int = part.num_rows
        self.digest: bytes = part.digest
        self.pieces: Sequence[Piece] = part.pieces
        ids = [_id_of(field) for field in part.schema]
        if len(part.schema) and all(each is None for each in ids):
            raise self._refused("has no field ids, so the names of its columns may mean others of the table")
        self._own = [ids.index(each.id) if each.id in ids else None for each in columns]
        self.schema: pa.Schema = pa.schema([self._field(*pair) for pair in zip(columns, self._own, strict=True)])
        places = {own: at for at, own in enumerate(self._own) if own is not None}
        self.unusable: Mapping[int, Unusable] = {
            places[own]: why for own, why in part.unusable.items() if own in places
        }

    def direct(self, index: int) -> None:
        """Always None: nothing is kept here."""

    def arrays(self, index: int, piece: Piece) -> Iterator[pa.Array]:
        """As of the file."""
        own = self._own[index]
        if own is not None:
            yield from self._part.arrays(own, piece)
            return
        for start in range(0, piece.count, _NULLS):
            yield pa.nulls(min(_NULLS, piece.count - start), self.schema.field(index).type)

    def statistics(self, index: int, piece: Piece) -> Statistics | None:
        """What the footer says; None where it says nothing."""
        own = self._own[index]
        return None if own is None or not isinstance(self._part, ParquetPart) else self._part.statistics(own, piece)

    def _field(self, column: TableColumn, own: int | None) -> pa.Field:
        name = column.field.name
        if own is None:
            if column.otherwise is not None:
                raise self._refused(f"lacks column {name!r}, which holds {column.otherwise} in it")
            return pa.field(name, column.field.type)
        found = self._part.schema.field(own)
        if not _same_inside(found.type, column.field.type):
            raise self._refused(f"has column {name!r} with other inner columns, or other names of them, than the table")
        return found.with_name(name)

    def _refused(self, what: str) -> Unreadable:
        return Unreadable(
            f"{self.file.path} {what}. bigviz does not read that: rewrite the data files of the table "
            "(rewrite_data_files), or export it to Parquet.",
            field="source",
            got=self.file.path,
        )


def _id_of(field: pa.Field) -> int | None:
    told = (field.metadata or {}).get(_ID)
    return int(told) if told is not None else None


def _same_inside(found: pa.DataType, expected: pa.DataType) -> bool:
    """Whether nested columns have the same inner ones, by id; by name where they have names of the table's own."""
    found, expected = storage_type(found), storage_type(expected)
    if pa.types.is_nested(found) is not pa.types.is_nested(expected) or found.num_fields != expected.num_fields:
        return False
    named = pa.types.is_struct(expected)
    for at in range(found.num_fields):
        one, other = found.field(at), expected.field(at)
        if _id_of(one) != _id_of(other) or (named and one.name != other.name) or not _same_inside(one.type, other.type):
            return False
    return True
