"""Labels to codes by sorted label, against sorted(set(...)) in plain Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigviz.common.errors import Unplottable
from bigviz.data.columns import categories
from bigviz.data.open import open as open_table

from ...examples import examples

TEXT = [pa.string(), pa.large_string(), pa.string_view()]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)]
DICTIONARIES = [
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.uint32(), pa.large_string()),
    pa.dictionary(pa.int64(), pa.string_view()),
]
labels = st.text(st.characters(exclude_categories=["Cs"]), max_size=3) | st.sampled_from(
    ["", "a", "B", "ä", "\U0001f600"]
)


@st.composite
def columns(draw: st.DrawFn, in_parquet: bool = False) -> pa.ChunkedArray:
    """Parquet's writer refuses dictionaries with null labels and of views."""
    type_ = draw(st.sampled_from([*TEXT, *DICTIONARIES][: -1 if in_parquet else None]))
    chunks = []
    for _ in range(draw(st.integers(1, 4))):
        values = draw(st.lists(st.none() | labels, max_size=12))
        start = draw(st.integers(0, len(values)))
        if pa.types.is_dictionary(type_):
            chunks.append(dictionary(draw, type_, values, not in_parquet).slice(start))
        else:
            chunks.append(pa.array(values, type_).slice(start))
    return pa.chunked_array(chunks, type_)


def dictionary(draw: st.DrawFn, type_: pa.DataType, values: list[str | None], null_labels: bool) -> pa.Array:
    """A dictionary with unused, repeated and null entries, in any order."""
    extra: list[str | None] = draw(st.lists(st.none() | labels, max_size=3))
    entries = draw(st.permutations([entry for entry in [*values, *extra] if null_labels or entry is not None]))
    indices = [
        None if value is None and (not null_labels or draw(st.booleans())) else entries.index(value) for value in values
    ]
    return pa.DictionaryArray.from_arrays(pa.array(indices, type_.index_type), pa.array(entries, type_.value_type))


def same(dataset: object, column: pa.ChunkedArray) -> None:
    values = column.to_pylist()
    got = dataset.column("c")  # type: ignore[attr-defined]
    want = sorted({value for value in values if value is not None})
    assert got.categories == tuple(want)
    assert got.values.dtype == np.int32
    assert got.values.tolist() == [0 if value is None else want.index(value) for value in values]
    assert (np.ones(len(values)) if got.valid is None else got.valid).tolist() == [
        value is not None for value in values
    ]
    rows = np.arange(len(values))[::-1]
    taken = dataset.take(rows, ["c"])["c"]  # type: ignore[attr-defined]
    assert taken.type == column.type and taken.to_pylist() == values[::-1]


@given(columns())
@settings(max_examples=examples(120, fuzzed=300))
def test_tables_in_memory(column: pa.ChunkedArray) -> None:
    same(open_table(pa.table({"c": column})), column)


@given(columns())
@settings(max_examples=examples(60, fuzzed=150), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrow_streams(tmp_path: Path, column: pa.ChunkedArray) -> None:
    table = pa.table({"c": column})
    with ipc.new_stream(str(tmp_path / "t.arrows"), table.schema) as writer:
        writer.write_table(table)
    same(open_table(tmp_path / "t.arrows"), column)


@given(columns(in_parquet=True), st.integers(1, 5), st.booleans())
@settings(max_examples=examples(80, fuzzed=200), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parquet(tmp_path: Path, column: pa.ChunkedArray, group: int, encode: bool) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"c": column}), path, row_group_size=group, use_dictionary=encode)
    same(open_table(path), pq.read_table(path)["c"])


@pytest.mark.parametrize("type_", BYTES)
def test_bytes_are_text_if_all_of_them_are(type_: pa.DataType) -> None:
    text = open_table(pa.table({"c": pa.array([b"def", b"abc", None, b"def"], type_)})).column("c")
    assert text.categories == ("abc", "def") and text.values.tolist() == [1, 0, 0, 1]
    raw = open_table(pa.table({"c": pa.array([b"\xff\x00\x01", b"abc"], type_)})).column("c")
    assert raw.categories == ("616263", "ff0001") and raw.values.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([10, 2, None], pa.int64()), ("2", "10")),
        (pa.array([1.5, -1.0, None]), ("-1", "1.5")),
        (pa.array([True, False, None]), ("False", "True")),
        (
            pa.array([1, 0, None], pa.timestamp("ns")),
            ("1970-01-01 00:00:00.000000000", "1970-01-01 00:00:00.000000001"),
        ),
        (pa.array([1, 0, None], pa.duration("ns")), ("0", "1")),
        (pa.array(["1.50", "0.25", None]).cast(pa.decimal128(5, 2)), ("0.25", "1.50")),
        (pa.array(["1.50", "0.25", None]).cast(pa.decimal128(5, 2)).cast(pa.decimal32(5, 2)), ("0.25", "1.50")),
        (pa.array([1.5, -1.0, None]).cast(pa.float16()), ("-1", "1.5")),
        (
            pa.array([1, 0, None], pa.timestamp("s", "Mars/Phobos")),
            ("1970-01-01 00:00:00Z", "1970-01-01 00:00:01Z"),
        ),
    ],
)
def test_dictionaries_of_other_values_sort_by_value(values: pa.Array, expected: tuple[str, ...]) -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 0]), values)
    dataset = open_table(pa.table({"c": column}))
    got = dataset.column("c")
    assert got.categories == expected and got.values.tolist() == [1, 0, 0, 1]
    assert got.valid is not None and got.valid.tolist() == [True, True, False, True]
    (batch,) = [columns for _, columns in dataset.read(0, ["c"])]
    assert batch[0].categories == expected and batch[0].values.tolist() == [1, 0, 0, 1]


HALVES = pa.array([0.0, 0.5, None])


@pytest.mark.parametrize(
    "values",
    [
        HALVES.cast(pa.float16()),
        HALVES.cast(pa.decimal128(5, 2)).cast(pa.decimal32(5, 2)),
        HALVES.cast(pa.decimal128(38, 37)),
        pa.array([0, 1, None], pa.timestamp("s", "Mars/Phobos")),
    ],
    ids=lambda values: str(values.type),
)
@pytest.mark.parametrize("rows", [4, 0])
def test_labels_are_taken_in_their_own_type(values: pa.Array, rows: int, tmp_path: Path) -> None:
    """From a file, whose true values are put together from codes and labels."""
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 0], pa.int8()), values).slice(0, rows)
    with ipc.new_file(tmp_path / "t.arrow", pa.schema({"c": column.type})) as writer:
        writer.write_table(pa.table({"c": column}))
    dataset = open_table(tmp_path / "t.arrow")
    assert len(dataset.column("c")) == rows and len(dataset.labels("c")) == min(rows, 2)
    taken = dataset.take(np.arange(rows), ["c"]).column(0)
    assert taken.type == column.type
    expected = [values.slice(at, 1).to_string() for at in (0, 1, 2, 0)[:rows]]
    decoded = [taken.slice(row, 1).combine_chunks().dictionary_decode().to_string() for row in range(rows)]
    assert decoded == expected


def test_a_dictionary_of_nulls_has_no_labels() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, None], pa.int8()), pa.nulls(1))
    got = open_table(pa.table({"c": column})).column("c")
    assert got.categories == () and got.valid is not None and not got.valid.any()


def test_more_labels_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MOST_CATEGORIES", 100)
    rows = pa.chunked_array([[f"{number}" for number in range(start, start + 60)] for start in (0, 60)])
    dataset = open_table(pa.table({"c": rows, "n": pa.chunked_array([range(120)])}))
    with pytest.raises(Unplottable, match="'c' has more than 100 different labels") as caught:
        dataset.column("c")
    assert caught.value.got == "c"
    assert dataset.take(np.array([119, 0]), ["c"])["c"].to_pylist() == ["119", "0"]


def test_labels_that_come_in_many_parts_keep_their_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of known labels grows several times while rows are read."""
    monkeypatch.setattr(categories, "MOST_CATEGORIES", 1000)
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, 900, 20_000)
    builder = categories.Categories(open_table(pa.table({"c": ["a"]})).info("c"), len(numbers))
    parts = np.array_split(np.arange(len(numbers)), 40)
    for part in rng.permutation(len(parts)):
        rows = parts[part]
        builder.add(int(rows[0]), pa.array([f"{number:04d}" for number in numbers[rows]]))
    column = builder.finish().column
    assert column.categories == tuple(f"{number:04d}" for number in np.unique(numbers))
    assert np.array_equal(column.values, np.unique(numbers, return_inverse=True)[1])
