"""Rows that are to get other values, from the body of a request to one sound table.

Runs in the process that checks uploads (`bigviz.data.uploads.worker`), as bodies come from anybody.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import Conflict, TooLarge, Unreadable
from bigviz.data.appending.plain import plain_type
from bigviz.data.patches.corrections import ROW
from bigviz.data.patches.lookup import can_be_keys
from bigviz.data.uploads.check import reason
from bigviz.data.uploads.convert import MOST_BYTES, arrow_table, check_own, one_batch
from bigviz.data.uploads.schema_match import check_types, unknown_column

__all__ = ["converted_patch"]


def converted_patch(body: bytes, schema: pa.Schema, key: str | None) -> tuple[pa.Buffer, int]:
    """The rows of an Arrow IPC stream as another one, of one batch: the column `_row` (int64), or the `key` column, and
    then the columns that are changed, as plain types; and how many rows there are.

    Raises Conflict where the columns are no such ones of the dataset, and what `convert.converted` does.
    """
    try:
        wanted = _Wanted(schema, key)
        table = arrow_table(body, wanted.check)
        plain = pa.schema([wanted.place, *(wanted.field(name) for name in table.column_names if name != wanted.name)])
        batch = one_batch(table.select(plain.names).cast(plain))
        batch.validate(full=True)
        if batch.get_total_buffer_size() > MOST_BYTES:
            raise TooLarge("The rows take too much memory: patch them in parts.", "body")
        if batch.column(0).null_count:
            raise Unreadable(f"Column {echoed(wanted.name)} says which rows are meant, and holds nulls.", wanted.name)
        changed = [schema.field(name) for name in plain.names[1:]]
        check_own(batch.select(plain.names[1:]), pa.schema(changed))
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return sink.getvalue(), batch.num_rows
    except (pa.ArrowMemoryError, MemoryError) as error:
        raise TooLarge("The rows need more memory to be read than one patch may take.", "body") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise Unreadable(f"The body is no sound Arrow IPC stream of these columns: {reason(error)}", "body") from error


class _Wanted:
    """What a patch of a dataset has to be. `name` is the column that says which rows are meant."""

    def __init__(self, schema: pa.Schema, key: str | None) -> None:
        self._schema = schema
        self.name = ROW if key is None else key
        if key is not None and schema.get_field_index(key) < 0:
            raise unknown_column(schema, key)
        self.place = pa.field(ROW, pa.int64()) if key is None else self.field(key)
        if key is not None and not can_be_keys(self.place.type):
            raise Conflict(f"Column {echoed(key)} is {self.place.type}, which cannot be a key: name rows by _row.", key)

    def field(self, name: str) -> pa.Field:
        """A column of the dataset as a plain type."""
        field = self._schema.field(name)
        return field.with_type(plain_type(field.type)).with_nullable(True).remove_metadata()

    def check(self, came: pa.Schema) -> None:
        """Raise Conflict where these columns are others."""
        for name, times in Counter(came.names).items():
            if times > 1:
                raise Conflict(f"Column {echoed(name)} came {times} times: give each column a name of its own.", name)
            if name != self.name and (self._schema.get_field_index(name) < 0 or name == ROW):
                raise unknown_column(self._schema, name)
        if self.name not in came.names:
            raise Conflict(f"A patch has the column {echoed(self.name)}, which says which rows are meant.", self.name)
        if len(came) < 2:
            raise Conflict("A patch has columns with new values, and none came.", "body")
        if self.name == ROW and not pt.is_integer(came.field(ROW).type):
            raise Conflict(f"Column {ROW} holds numbers of rows, and {came.field(ROW).type} came.", ROW)
        known = [name for name in came.names if name != ROW]
        check_types(pa.schema([self._schema.field(name) for name in known]), came)
