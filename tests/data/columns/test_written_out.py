"""What values take written out, against the values themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.common.errors import TooLarge
from bigviz.data.columns.written_out import Room, written_bytes

WORDS = ["", "a", "ä" * 3, None, "long" * 100, "b"]
MADE: dict[str, Callable[[list[str | None]], pa.Array]] = {
    "string": lambda words: pa.array(words, pa.string()),
    "large": lambda words: pa.array(words, pa.large_string()),
    "view": lambda words: pa.array(words, pa.string_view()),
    "binary": lambda words: pa.array([None if word is None else word.encode() for word in words]),
    "labels": lambda words: pa.array(words).dictionary_encode(),
    "runs": lambda words: pc.run_end_encode(pa.array(words)),
}


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("offset", [0, 3])
def test_texts(kind: str, offset: int) -> None:
    rng = np.random.default_rng(5)
    words = [WORDS[k] for k in rng.integers(0, len(WORDS), 500)]
    whole = MADE[kind](words)
    values = pa.chunked_array([whole.slice(offset, 200), whole.slice(200 + offset)])
    rows = rng.integers(0, len(values), 300)
    shown = [*words[offset : 200 + offset], *words[200 + offset :]]
    least = sum(len((shown[row] or "").encode()) for row in rows)
    assert least <= written_bytes(values, rows) <= least + 8 * len(rows)


def test_what_lies_under_nulls_does_not_count() -> None:
    """An upload may have anything there, and a negative length would make room for what is not null."""
    views = np.zeros((4, 4), np.int32)
    views[:3, 0] = 5, -(2**31), 2**31 - 1
    valid = pa.py_buffer(b"\x09")
    texts = pa.Array.from_buffers(pa.string_view(), 4, [valid, pa.py_buffer(views.tobytes())])
    texts.validate(full=True)
    assert written_bytes(texts, np.arange(4)) == 5 + 4 * 4
    assert written_bytes(texts.slice(1), np.arange(3)) == 3 * 4


def test_labels_of_few_rows_are_counted_without_a_copy_of_all_codes() -> None:
    codes = pa.array(np.zeros(4_000_000, np.int32), mask=np.arange(4_000_000) == 7)
    labels = pa.DictionaryArray.from_arrays(codes, ["abc"])
    before = pa.default_memory_pool().max_memory()
    held = pa.total_allocated_bytes()
    assert written_bytes(labels, np.array([3, 9])) == 2 * (3 + 4)
    assert pa.default_memory_pool().max_memory() <= max(before, held + 1_000_000)


def test_numbers_and_nested_values() -> None:
    rows = np.arange(50)
    assert written_bytes(pa.array(np.arange(100.0)), rows) == 401
    assert written_bytes(pa.array([[1, 2, 3]] * 100), rows) >= 50 * 24
    assert written_bytes(pa.array([], pa.string()), rows[:0]) == 0


LABELS = pa.dictionary(pa.int8(), pa.string())
NESTED = [
    pa.list_(LABELS), pa.large_list(LABELS), pa.list_(LABELS, 2), pa.list_view(LABELS), pa.large_list_view(LABELS),
    pa.struct([("one", LABELS), ("two", pa.list_(pa.string()))]), pa.map_(pa.string(), LABELS),
]  # fmt: skip


@pytest.mark.parametrize("type_", NESTED, ids=str)
def test_labels_within_lists_and_structs_count_as_often_as_they_occur(type_: pa.DataType) -> None:
    """A label of a hundred characters, which the array has once."""
    word = "x" * 100
    made: Any = [word, word]
    if pa.types.is_struct(type_):
        made = {"one": word, "two": [word]}
    elif pa.types.is_map(type_):
        made = [(word, word)]
    array = pa.array([made, None] * 50, type_)
    for values, rows in ((array, np.arange(100)), (array.slice(3, 90), np.arange(1, 90))):
        there = sum(values[row].is_valid for row in rows.tolist())
        assert there * 200 <= written_bytes(values, rows) <= there * 230 + len(rows) * 40


def test_one_row_of_many_long_labels_is_refused_before_it_is_put_together() -> None:
    """Of 4 MB, which are 2 TB as Python's texts."""
    labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, np.int32)), ["a" * 2_000_000])
    dataset = bv.open(pa.table({"tags": pa.ListArray.from_arrays([0, 1_000_000], labels)}))
    with pytest.raises(TooLarge, match="These rows take more than 512 MiB"):
        dataset.take(np.array([0]), ["tags"])


def test_labels_that_stay_labels_are_not_written_out() -> None:
    labels = pa.array(["x" * 1000] * 100).dictionary_encode()
    Room(10_000).take(labels, np.arange(100))
    with pytest.raises(TooLarge, match="fewer rows"):
        Room(10_000).take(labels, np.arange(100), pa.string())


def test_long_texts_of_a_small_file_are_refused_before_they_are_put_together(tmp_path: Path) -> None:
    """Of 100 KB, whose rows take 2 GB."""
    rows = 100_000
    labels = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), ["a" * 20_000])
    pq.write_table(pa.table({"text": labels}), tmp_path / "t.parquet", store_schema=False)
    dataset = bv.open(tmp_path / "t.parquet")
    assert dataset.schema.field("text").type == pa.string()
    before = pa.total_allocated_bytes()
    with pytest.raises(TooLarge, match="These rows take more than 512 MiB: ask for fewer rows"):
        dataset.take(np.arange(rows), ["text"])
    assert pa.total_allocated_bytes() - before < 50_000_000
    assert dataset.take(np.arange(100), ["text"]).nbytes > 2_000_000


def test_the_same_in_memory() -> None:
    dataset = bv.open(pa.table({"text": ["a" * 20_000] * 100}))
    with pytest.raises(TooLarge, match="more than 1 MiB"):
        dataset.take(np.zeros(1_000, np.int64), ["text"], 1 << 20)
