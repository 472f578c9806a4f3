"""Lines of NDJSON, whose columns have their types already: what does not fit is null or left out, and told."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.data.following.typed_lines import MOST_TOLD, fitted, of_cell
from bigviz.data.formats.delimited.typed_column import TypedColumn, cleaned
from bigviz.data.formats.delimited.whole_lines import Lines

__all__ = ["MARK", "JsonReader", "json_schema"]

MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark that a text in UTF-8 may begin with."""

_NUMBERS: Final = frozenset({"BIGINT", "UBIGINT", "HUGEINT", "DOUBLE"})
_MOST_UNKNOWN: Final = 100  # keys without a column that are told
_NO_LINE: Final = "is no JSON object"


class JsonReader:
    """A line that is no JSON object is left out. A value that is nothing of its column's type is null; so is one that
    is missing. Objects and lists within an object are their JSON as text. Bytes that are no UTF-8 become the
    replacement character."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.lines = Lines(quote="")
        self._unknown: set[str] = set()

    def read(self, text: bytes, line: int) -> tuple[pa.Table, list[str]]:
        """The rows of whole lines, of which the first is line `line` of its file; and what did not fit, a sentence
        each, at most a few."""
        told: dict[int, str] = {}
        with _Objects(text.removeprefix(MARK) if line == 1 else text) as objects:
            for row in objects.left_out[:MOST_TOLD]:
                told[row] = _NO_LINE
            count = len(objects.left_out)
            columns = []
            for field, texts in zip(self.schema, objects.texts(self.schema.names), strict=True):
                array, strange = texts, np.empty(0, np.int64)
                if not pt.is_string(field.type):
                    array, strange = fitted(cleaned(texts), field.type)
                columns.append(array)
                count += len(strange)
                for at in strange[:MOST_TOLD].tolist():
                    told.setdefault(int(objects.rows[at]), of_cell(texts[at].as_py(), field))
            sentences = [f"Line {line + row:,} {told[row]}." for row in sorted(told)[:MOST_TOLD]]
            if count > len(sentences):
                sentences.append(f"{count - len(sentences):,} more lines or values do not fit either.")
            return pa.table(columns, schema=self.schema), [*sentences, *self._strange_keys(objects)]

    def _strange_keys(self, objects: _Objects) -> list[str]:
        """A sentence on keys that no column has, once."""
        new = [key for key in objects.names() if key not in self._unknown and key not in self.schema.names]
        new = new[: _MOST_UNKNOWN - len(self._unknown)]
        self._unknown.update(new)
        names = ", ".join(echoed(key, 60) for key in new[:MOST_TOLD])
        return [f"There is no column for {names}: columns are those of the first look."] if new else []


def json_schema(text: bytes) -> pa.Schema:
    """The types of the columns of whole lines: a column for each key, in the order in which they come.

    Numbers, and times that are written in ISO 8601, are what cells of a CSV would be; what is of several kinds, or of
    none, is text.
    """
    with _Objects(text) as objects:
        names = objects.names()
        return pa.schema(
            [
                pa.field(name, _type_of(kinds, texts))
                for name, kinds, texts in zip(names, objects.kinds(names), objects.texts(names), strict=True)
            ]
        )


def _type_of(kinds: set[str], texts: pa.Array) -> pa.DataType:
    if not kinds or not (kinds <= _NUMBERS or kinds in ({"BOOLEAN"}, {"VARCHAR"})):
        return pa.string()
    column = TypedColumn("")
    column.add(texts)
    found = pa.string() if column.needs_text else column.finish().type
    if kinds == {"VARCHAR"}:
        return found if pt.is_date(found) or pt.is_timestamp(found) else pa.string()
    return pa.string() if pt.is_null(found) else found


class _Objects:
    """The objects of whole lines. `rows` are the lines of those that are objects, from 0 on, `left_out` those of the
    others that are not empty."""

    def __init__(self, text: bytes) -> None:
        text = text if _is_utf8(text) else text.decode(errors="replace").encode()
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        lines = pa.Array.from_buffers(pa.string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
        engine: Any = import_module("duckdb")  # 0.1 s and 40 MB that nothing but a text needs
        self._engine = engine.connect(":memory:", config={"enable_external_access": "false"})
        self._engine.register("lines", pa.table({"line": lines}))
        sound = np.asarray(
            self._column(
                "SELECT CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END FROM lines"
            ).cast(pa.uint8())
        ).astype(np.bool_)
        self.rows = np.flatnonzero(sound)
        self.left_out = [row for row in np.flatnonzero(~sound).tolist() if lines[row].as_py().strip()]
        if not sound.all():
            lines = lines.take(pa.array(self.rows))
        self._engine.unregister("lines")
        self._engine.register("objects", pa.table({"line": lines}))

    def __enter__(self) -> _Objects:
        return self

    def __exit__(self, *exception: object) -> None:
        self._engine.close()

    def names(self) -> list[str]:
        """All keys, in the order in which they come."""
        rows = "SELECT json_keys(line) AS keys, row_number() OVER () AS row FROM objects"
        pairs = f"SELECT unnest(keys) AS key, row, generate_subscripts(keys, 1) AS place FROM ({rows})"
        found = self._column(f"SELECT key FROM ({pairs}) GROUP BY key ORDER BY min((row, place))")
        return [str(key) for key in found.to_pylist()]

    def kinds(self, keys: Sequence[str]) -> list[set[str]]:
        """What kinds of values each key has, but null."""
        found = []
        for key in keys:
            kinds = self._column("SELECT DISTINCT json_type(line, ?) FROM objects", _pointer(key)).to_pylist()
            found.append({str(kind) for kind in kinds if kind not in (None, "NULL")})
        return found

    def texts(self, keys: Sequence[str]) -> list[pa.Array]:
        """The values of each key as texts, null where it is missing or null."""
        if not keys or not len(self.rows):
            return [pa.nulls(len(self.rows), pa.string()) for _ in keys]
        lists = self._column("SELECT json_extract_string(line, ?) FROM objects", [_pointer(key) for key in keys])
        values = lists.flatten()
        return [values.take(pa.array(np.arange(at, len(values), len(keys)))) for at in range(len(keys))]

    def _column(self, query: str, *values: object) -> pa.Array:
        column = self._engine.sql(query, params=list(values)).to_arrow_table().column(0)
        return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.nulls(0)])


def _pointer(key: str) -> str:
    """The JSON pointer (RFC 6901) of a key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
