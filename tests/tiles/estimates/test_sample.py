"""What a sample keeps open of a table of few large pieces: the latest readings, and nothing once its layer is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_table
from bigviz.tiles.engine import Engine
from bigviz.tiles.estimates.open_streams import MOST_OPEN, Streams
from bigviz.tiles.estimates.preview import Preview
from bigviz.tiles.estimates.sample import Sample

MakeDataset = Callable[..., Dataset]
NAMES = tuple(f"c{number}" for number in range(40))


class Counting(Dataset):
    """Pieces of three batches, and how many of its readings are open."""

    open = 0
    begun = 0

    def read(self, number: int, names: Any, cancel: Any = None, own_labels: bool = False) -> Iterator[Any]:
        self.open += 1
        self.begun += 1
        try:
            for batch in range(3):
                yield batch, [self.column(name) for name in names]
        finally:
            self.open -= 1


@pytest.fixture
def counting(dataset: MakeDataset) -> Counting:
    source = dataset(**{name: np.arange(8.0) for name in NAMES})
    return Counting("counted", source._source)


def test_readings_are_continued_and_only_the_latest_stay_open(counting: Counting) -> None:
    streams = Streams(counting)
    for name in NAMES:
        for number in range(2):
            found = streams.batch(0, number, (name,), Cancel())
            assert found is not None and found[0] == number
        assert counting.open <= MOST_OPEN
    assert (counting.begun, counting.open) == (len(NAMES), MOST_OPEN)
    found = streams.batch(0, 2, (NAMES[-1],), Cancel())
    assert found is not None and found[0] == 2 and counting.begun == len(NAMES), "read on"
    found = streams.batch(0, 2, (NAMES[0],), Cancel())
    assert found is not None and found[0] == 2 and counting.begun == len(NAMES) + 1, "read again from its start"
    assert [streams.batch(0, number, (NAMES[0],), Cancel()) for number in (3, 4)] == [None, None]
    assert counting.begun == len(NAMES) + 1, "a piece that has ended is not read again"
    streams.close((NAMES[-2],))
    assert counting.open == MOST_OPEN - 2, "one was closed, and one has ended"
    streams.close()
    assert counting.open == 0


@pytest.fixture
def large_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A file of three row groups, each of several units."""
    monkeypatch.setattr("bigviz.tiles.estimates.sample._UNIT", 1 << 14)
    monkeypatch.setattr("bigviz.data.formats.parquet.BATCH", 1 << 14)
    monkeypatch.setattr("bigviz.tiles.estimates.preview_cache._SAMPLES", 1)
    rng = np.random.default_rng(3)
    table = pa.table({name: rng.random(3 << 18, np.float32) for name in NAMES[:8]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1 << 18, use_dictionary=False)
    return open_table(tmp_path / "t.parquet")


def handles() -> int:
    """Open file descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def test_no_file_stays_open_when_a_layer_is_there_or_given_up(
    large_pieces: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Sample(large_pieces).start
    engine, before = Engine(threads=2, preview_rows=1), handles()
    engine.preview(large_pieces, Layer("points", "c0", "c1"))
    assert handles() > before, "its pieces are open, for the sample to grow"
    engine.ensure(large_pieces, Layer("points", "c0", "c1"))
    assert handles() == before
    layer = Layer("points", "c2", "c3")
    engine.preview(large_pieces, layer)
    assert handles() > before
    stopped = Cancel()
    stopped.cancel()
    with pytest.raises(Cancelled):
        engine.ensure(large_pieces, layer, cancel=stopped)
    assert handles() == before

    def broken(*_: Any) -> None:
        raise Cancelled()

    monkeypatch.setattr(Preview, "rehearse", broken)
    with pytest.raises(Cancelled):
        engine.preview(large_pieces, Layer("points", "c4", "c5"))
    assert handles() == before


def test_a_sample_that_is_dropped_closes_its_files(large_pieces: Dataset, dataset: MakeDataset) -> None:
    engine, before = Engine(threads=2, preview_rows=1), handles()
    preview = engine.preview(large_pieces, Layer("points", "c0", "c1"))
    assert preview is not None and handles() > before
    engine.preview(dataset(x=np.arange(9.0), y=np.arange(9.0)), Layer("points", "x", "y"))
    assert handles() == before, "another table's sample took its place"
    preview.grow()
    assert preview.generation == 2, "who still looks at it reads on"


@pytest.mark.parametrize(
    ("units", "sizes"),
    [(0, [0]), (1, [1]), (8, [8]), (11, [8]), (12, [8, 12]), (30, [8, 16, 30]), (99, [8, 16, 32, 64])],
)
def test_a_sample_grows_by_half_at_least(
    dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, units: int, sizes: list[int]
) -> None:
    monkeypatch.setattr("bigviz.data.sources.memory._PIECE", 10)
    values = np.arange(10.0 * units)
    assert Sample(dataset(x=values, y=values)).sizes() == sizes


class Uneven(Dataset):
    """Pieces of 1,300 rows, in batches that are shorter where more columns are read."""

    pieces = 10

    def chunks(self) -> list[tuple[int, int]]:
        return [(1_300 * number, 1_300) for number in range(self.pieces)]

    def read(self, number: int, names: Any, cancel: Any = None, own_labels: bool = False) -> Iterator[Any]:
        start, count = self.chunks()[number]
        step = 2_000 // len(names)
        for first in range(start, start + count, step):
            rows = np.arange(first, min(first + step, start + count))
            yield first, [self.column(name).take(rows) for name in names]


@pytest.mark.parametrize("pieces", [10, 1])
def test_columns_whose_batches_end_elsewhere_are_of_the_same_rows(
    pieces: int, dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read of a unit later fits what is kept of it."""
    monkeypatch.setattr("bigviz.tiles.estimates.sample._UNIT", 1_000)
    uneven = Uneven("uneven", dataset(**{name: np.arange(13_000.0) for name in "abc"})._source)
    uneven.pieces = pieces
    sample = Sample(uneven)
    assert sample.start is (pieces == 1)
    for names in (("a", "b"), ("a", "b", "c"), ("c",)):
        unit = sample.unit(0, names, Cancel())
        assert unit is not None and set(unit.columns) >= set(names)
        assert all(np.array_equal(column.values, unit.rows) for column in unit.columns.values())
