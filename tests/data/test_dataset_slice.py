"""A part of a table of files, as a table of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import DatasetSlice, is_divisible, know_labels, own_labels
from bigviz.data.open import open as open_dataset


@pytest.fixture
def whole(tmp_path: Path) -> Dataset:
    for number, labels in enumerate((["b", "a"] * 60, ["c", "a"] * 50)):
        folder = tmp_path / f"day={number}"
        folder.mkdir()
        values = np.arange(len(labels)) + 1000 * number
        pq.write_table(pa.table({"v": values, "kind": labels}), folder / "0.parquet", row_group_size=40)
    return open_dataset(tmp_path)


def test_parts_hold_all_rows_once_with_the_labels_of_all(whole: Dataset) -> None:
    chunks = len(whole.chunks())
    middle = max(chunks // 2, 1)
    parts = [DatasetSlice(whole, *ends) for ends in ((0, middle), (middle, chunks))]
    assert [part.offset for part in parts] == [0, parts[0].num_rows]
    assert len({whole.fingerprint, *(part.fingerprint for part in parts)}) == 3
    for part in parts:
        assert not part.knows_labels("kind")
        know_labels(part, "kind", own_labels(whole, "kind"))
    for name in ("v", "kind", "day"):
        values = np.concatenate([part.column(name).values for part in parts])
        np.testing.assert_array_equal(values, whole.column(name).values)
    assert parts[0].column("kind").categories == ("a", "b", "c")
    last = parts[1]
    assert last.take(np.array([0]), ["v"]).to_pylist() == whole.take(np.array([last.offset]), ["v"]).to_pylist()


def test_labels_that_are_not_known_are_not_those_of_some_rows(whole: Dataset) -> None:
    part = DatasetSlice(whole, 0, 1)
    with pytest.raises(ValueError, match="labels of column"):
        part.column("kind")
    assert own_labels(part, "kind").texts == ("a", "b")
    assert not part.knows_labels("kind")


def test_only_files_by_path_that_do_not_grow_are_divided(whole: Dataset, tmp_path: Path) -> None:
    text = tmp_path / "t.csv"
    text.write_text("a,b\n1,2\n")
    assert is_divisible(whole)
    assert not is_divisible(open_dataset(text)) and not is_divisible(open_dataset({"a": [1]}))
