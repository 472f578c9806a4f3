"""Bodies of appends become one batch of their dataset's columns, or are refused with the column that is wrong."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from bigviz.common.errors import BadInput, Conflict, Unreadable
from bigviz.data.appending.plain import plain_schema
from bigviz.data.uploads.convert import converted
from bigviz.data.uploads.facts import BodyFormat
from bigviz.data.uploads.validator import Validator

SCHEMA = pa.schema(
    [
        pa.field("time", pa.timestamp("ns", "UTC")),
        pa.field("x", pa.float64()),
        pa.field("n", pa.int64()),
        pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
        pa.field("tags", pa.list_(pa.dictionary(pa.int32(), pa.string()))),
        pa.field("flag", pa.bool_(), nullable=False),
    ]
)
TIME = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
ROW: dict[str, Any] = {"time": TIME, "x": 1.5, "n": 2**53 + 1, "kind": "a", "tags": ["b"], "flag": True}
GOOD = pa.Table.from_pylist([ROW], plain_schema(SCHEMA))


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def rows(body: bytes, format: BodyFormat, schema: pa.Schema = SCHEMA) -> list[dict[str, Any]]:
    payload, count = converted(body, format, schema)
    batch = pa.ipc.read_record_batch(payload, plain_schema(schema))
    assert batch.num_rows == count
    return [{**row, "time": TIME} if row.get("time") else row for row in batch.drop_columns(["time"]).to_pylist()]


REST = {name: value for name, value in ROW.items() if name != "time"}


@pytest.mark.parametrize(
    "table",
    [
        GOOD,
        GOOD.select(list(reversed(GOOD.column_names))),
        GOOD.cast(SCHEMA),
        GOOD.set_column(3, "kind", pa.array(["a"], pa.large_string())),
        GOOD.set_column(3, "kind", pa.array(["a"], pa.string_view())),
        GOOD.set_column(0, "time", GOOD["time"].cast(pa.timestamp("ns", "Europe/Berlin"))),
        GOOD.set_column(0, "time", pa.nulls(1)),
    ],
)
def test_the_same_values_in_another_form(table):
    assert rows(stream(table), "arrows") == [REST]


def test_many_batches_are_one():
    assert rows(stream(pa.concat_tables([GOOD, GOOD.slice(0, 0), GOOD])), "arrows") == [REST, REST]
    assert rows(stream(GOOD.slice(0, 0)), "arrows") == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"time": 17}', r"'time' is timestamp\[ns, tz=UTC\], which is a text such as .*: got a number in row 1"),
        (b'{"x": 1}\n{"x": "1"}', "Column 'x' is double, which is a number in NDJSON: got a string in row 2"),
        (b'{"n": {}}', "Column 'n' is int64, which is a number in NDJSON: got an object in row 1"),
        (b'{"flag": 1}', "Column 'flag' is bool, which is true or false"),
        (b'{"tags": 1}', "Column 'tags' is .*, which is a list or an object"),
        (b'{"kind": 1}', "Column 'kind' is .*, which is a text"),
    ],
)
def test_a_json_value_of_another_kind_is_told_with_its_column(body, told):
    with pytest.raises(Unreadable, match=told):
        converted(body, "ndjson", SCHEMA)


def test_a_column_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(Conflict, match=r"no column 'volume'\. It has 'time', 'x', 'n', 'kind', 'tags', 'flag'\."):
        converted(b'{"volume": 1}', "ndjson", SCHEMA)


def test_lines_of_json():
    text = b'{"n": 9007199254740993, "x": 1.5, "kind": "a", "tags": ["b"], "flag": true}\n\n{"flag": false}\n'
    assert rows(text, "ndjson") == [REST, {**dict.fromkeys(REST), "flag": False}]
    assert rows(b"", "ndjson") == rows(b" \n\n", "ndjson") == []


def test_days_in_lines_of_json_are_texts_or_numbers():
    types = {"day": pa.date32(), "other/": pa.date64(), "at": pa.time32("s"), "long": pa.duration("ms"), "x": pa.int8()}
    schema = pa.schema(list(types.items()))
    day = dt.date(2026, 5, 1)
    row = {"day": day, "other/": day, "at": dt.time(0, 0, 5), "long": dt.timedelta(milliseconds=6), "x": None}
    number = (day - dt.date(1970, 1, 1)).days
    for text in (
        b'{"day": "2026-05-01", "other/": "2026-05-01", "at": 5, "long": 6}',
        b'{"day": %d, "other/": "2026-05-01", "at": 5, "long": 6}' % number,
        b'{"day": %d, "other/": %d, "at": 5, "long": 6}' % (number, number * 86_400_000),
    ):
        payload, count = converted(text, "ndjson", schema)
        assert (pa.ipc.read_record_batch(payload, schema).to_pylist(), count) == ([row], 1)
    for text in (b'{"day": "2026-13-01"}', b'{"day": 1}\n{"day": "2026-05-01"}', b'{"x": "1"}', b'{"long": 1.5}'):
        with pytest.raises(Unreadable):
            converted(text, "ndjson", schema)


def test_lines_of_csv():
    schema = pa.schema([field for field in SCHEMA if field.name not in ("tags", "flag")])
    text = b'kind,n,x,time\n"a\nb",9007199254740993,1.5,2026-05-01T12:00:00Z\n"",,,\n,,,\n'
    empty = dict.fromkeys(("x", "n", "kind"))
    expected = [{"x": 1.5, "n": 2**53 + 1, "kind": "a\nb"}, {**empty, "kind": ""}, empty]
    assert rows(text, "csv", schema) == rows(b"\xef\xbb\xbf" + text, "csv", schema) == expected


@pytest.mark.parametrize(
    ("body", "format", "error", "field"),
    [
        (stream(GOOD.set_column(2, "n", pa.array([1.0]))), "arrows", Conflict, "n"),
        (stream(GOOD.set_column(0, "time", pa.array([1], pa.timestamp("ms", "UTC")))), "arrows", Conflict, "time"),
        (stream(GOOD.set_column(0, "time", pa.array([1], pa.timestamp("ns")))), "arrows", Conflict, "time"),
        (stream(GOOD.append_column("x", GOOD["x"])), "arrows", Conflict, "x"),
        (stream(GOOD.drop_columns(["flag"])), "arrows", Conflict, "flag"),
        (stream(GOOD.set_column(5, "flag", pa.nulls(1))), "arrows", Unreadable, "flag"),
        (stream(GOOD)[:-1], "arrows", BadInput, "body"),
        (stream(GOOD) + b"more" * 2, "arrows", BadInput, "body"),
        (b"", "arrows", Unreadable, "body"),
        (b'{"x": 1, "tags": [{"a": 1}]}', "ndjson", Unreadable, "body"),
        (b'{"flag": true, "y": 1}', "ndjson", Conflict, "y"),
        (b'{"flag": true, "n": 1.5}', "ndjson", Unreadable, "body"),
        (b'{"flag": true}\n[1]', "ndjson", Unreadable, "body"),
        (b"\xff\xfe", "ndjson", Unreadable, "body"),
        (b"", "csv", Unreadable, "body"),
        (b"x\n1\n", "csv", Conflict, "time"),
        (b"\xff\xfe\n", "csv", Unreadable, "body"),
    ],
)
def test_what_is_refused(body, format, error, field):
    with pytest.raises(error) as found:
        converted(body, format, SCHEMA)
    assert found.value.field == field


def test_labels_that_their_codes_cannot_count():
    table = pa.Table.from_pylist([{**ROW, "kind": str(number)} for number in range(200)], plain_schema(SCHEMA))
    with pytest.raises(Unreadable):
        converted(stream(table), "arrows", SCHEMA)


def test_in_a_process_that_a_body_may_end():
    validator = Validator(processes=1)
    try:
        payload, count = validator.convert(stream(GOOD), "arrows", SCHEMA)
        assert count == 1 and payload == converted(stream(GOOD), "arrows", SCHEMA)[0].to_pybytes()
        with pytest.raises(Unreadable, match="one object"):
            validator.convert(b'{"flag": true} {"flag": true}', "ndjson", SCHEMA)
        with pytest.raises(Conflict) as found:
            validator.convert(b'{"y": 1}', "ndjson", SCHEMA)
        assert (found.value.field, found.value.got) == ("y", "y")
        assert validator.convert(stream(GOOD), "arrows", SCHEMA)[0] == payload
    finally:
        validator.close()


def test_a_name_as_long_as_the_body_is_answered_shortly():
    long = "q" * 5_000_000
    bodies: list[tuple[bytes, BodyFormat]] = [(f'{{"{long}": 1}}'.encode(), "ndjson")]
    bodies.append((stream(pa.table({long: [1]})), "arrows"))
    for body, format in bodies:
        with pytest.raises(Conflict) as refused:
            converted(body, format, SCHEMA)
        assert (refused.value.field, refused.value.got) == (long[:200], long[:200])
        assert len(refused.value.message) < 1_000


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf", b"x" * 200_000 + b",n\n1,2\n"])
def test_a_first_line_without_names(body):
    with pytest.raises(Unreadable, match="has the names of the columns"):
        converted(body, "csv", SCHEMA)
