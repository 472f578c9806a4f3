"""Statistics of Parquet files and of directories: bounds of every type, and pieces that a filter does not read."""

from __future__ import annotations

import datetime as dt
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

import bigviz as bv
from bigviz.common.workers import Crew
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import kept
from bigviz.data.filters.tree import Expression, Node
from bigviz.data.formats import parquet
from bigviz.data.formats.parquet_footer import read_footer
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.statistics.row_groups import RowGroups
from bigviz.data.statistics.values import Statistics

from ..filters.trees import conditions, table

GROUP = 6


@pytest.fixture(autouse=True)
def _a_piece_is_a_row_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH", GROUP)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The columns and first rows of the pieces that were read."""
    found: list[tuple[str, int]] = []
    plain = parquet.ParquetPart.arrays

    def arrays(self: parquet.ParquetPart, index: int, piece: Any) -> Any:
        found.append((self.schema.names[index], piece.start))
        return plain(self, index, piece)

    monkeypatch.setattr(parquet.ParquetPart, "arrays", arrays)
    return found


def opened(made: pa.Table, folder: Path, **options: Any) -> bv.Dataset:
    pq.write_table(made, folder / "t.parquet", row_group_size=GROUP, **options)
    return bv.open(folder / "t.parquet")


def test_bounds_are_those_of_the_values(tmp_path: Path):
    made = table()
    dataset = opened(made, tmp_path)
    known = 0
    for name in made.schema.names:
        for start in range(0, made.num_rows, GROUP):
            found = dataset.statistics(name, start, start + GROUP)
            part = made[name].slice(start, GROUP).combine_chunks()
            if found is None:
                continue
            assert found.nulls == (part.null_count > 0) and found.values == (part.null_count < len(part))
            values = [_plain(each, part.type) for each in part.to_pylist()]
            values = [each for each in values if each is not None and each == each]
            if found.low is not None and values:
                known += 1
                assert (found.low, found.high) == (min(values), max(values)), (name, start)
    assert known > 150


def _plain(value: Any, type_: pa.DataType) -> Any:
    if isinstance(value, Decimal):
        return int(value.scaleb(type_.scale, Context(prec=60)))
    if isinstance(value, dt.datetime):
        value = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
        return (value - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1) * 1000
    if isinstance(value, dt.date):
        return (value.toordinal() - dt.date(1970, 1, 1).toordinal()) * 86_400 * 10**9
    if isinstance(value, dt.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 10**9 + value.microsecond * 1000
    if isinstance(value, dt.timedelta):
        return value // dt.timedelta(microseconds=1) * 1000
    return value


@pytest.fixture(scope="module")
def file_and_memory(tmp_path_factory: pytest.TempPathFactory) -> tuple[bv.Dataset, bv.Dataset]:
    made = table(120, seed=5).sort_by([("i64", "ascending")])
    path = tmp_path_factory.mktemp("sorted") / "t.parquet"
    pq.write_table(made, path, row_group_size=GROUP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "BATCH", GROUP)
        return bv.open(path), bv.open(made)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions())
def test_a_file_and_memory_keep_the_same_rows(file_and_memory: tuple[bv.Dataset, bv.Dataset], node: Node):
    found, wanted = (kept(each, check(Expression(node), each), Crew(threads=1)) for each in file_and_memory)
    np.testing.assert_array_equal(found, wanted)


def test_row_groups_that_cannot_match_are_not_read(tmp_path: Path, read: list[tuple[str, int]]):
    stamps = pa.array([dt.datetime(2024, 1, 1) + dt.timedelta(days=each) for each in range(24)])
    names = pa.array([f"{chr(97 + each // 6)}{each}" if each < 18 else None for each in range(24)])
    made = pa.table({"n": pa.array(range(24)), "t": stamps, "name": names, "f": pa.array(np.arange(24) / 2)})
    dataset = opened(made, tmp_path)
    for text, rows, pieces in (
        ("n = 7", [7], {6}),
        ("n > 10 and n <= 12", [11, 12], {6, 12}),
        ("n in (1, 2, 23)", [1, 2, 23], {0, 18}),
        ("t >= '2024-01-20'", [19, 20, 21, 22, 23], {18}),
        ("name > 'b99'", list(range(12, 18)), {12}),
        ("name = 'c13' or n = 0", [0, 13], {0, 12}),
        ("name is not null and n >= 17", [17], {12}),
        ("f < 1.5 or name is null", [0, 1, 2, *range(18, 24)], {0, 18}),
        ("not n > 2", [0, 1, 2], {0}),
        ("n > 100", [], set()),
        ("n = 3.5", [], set()),
        ("false", [], set()),
    ):
        read.clear()
        selected = dataset.where(text)
        assert selected.to_arrow(columns=["n"])["n"].to_pylist() == rows, text
        assert selected.sum("n") == sum(rows)
        assert {start for _, start in read} == pieces, text


def test_files_of_other_keys_are_not_read(tmp_path: Path, read: list[tuple[str, int]]):
    for year, kind in ((2023, "a"), (2024, "b"), (2024, None)):
        folder = tmp_path / f"year={year}" / f"kind={kind or '__HIVE_DEFAULT_PARTITION__'}"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"n": [year, year + 1]}), folder / "part.parquet")
    dataset = bv.open(tmp_path)
    assert dataset.where("year = 2023 and n > 0").count() == 2
    assert len(read) == 1
    read.clear()
    assert dataset.where("kind is null and n > 0").count() == 2
    assert len(read) == 1


def test_statistics_of_a_wrong_length_say_nothing(tmp_path: Path):
    """pyarrow ends the process where it is asked for these."""
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": pa.array([0x11223344556677], pa.int64())}), path, use_dictionary=False)
    data = path.read_bytes()
    value = (0x11223344556677).to_bytes(8, "little")
    at = data.rfind(b"\x08" + value)
    size = int.from_bytes(data[-8:-4], "little")
    assert at > len(data) - 8 - size
    # The first of two bounds becomes shorter by a byte, and so does the footer.
    damaged = data[:at] + b"\x07" + value[:7] + data[at + 9 : -8] + (size - 1).to_bytes(4, "little") + b"PAR1"
    path.write_bytes(damaged)
    metadata = pq.read_metadata(path)
    groups = RowGroups(read_footer(StableFile.at(str(path))), metadata)
    dataset = bv.open(path)
    known = dataset.statistics("n", 0, 1)
    assert known is not None and None in (known.low, known.high)
    assert groups.of(0, 0, len) is not None


def test_a_footer_cut_short_says_nothing(tmp_path: Path):
    pq.write_table(table(), tmp_path / "t.parquet", row_group_size=GROUP)
    footer = read_footer(StableFile.at(str(tmp_path / "t.parquet")))
    metadata = pq.read_metadata(tmp_path / "t.parquet")
    assert RowGroups(footer, metadata).of(0, 0, len) == Statistics(4, 4, nulls=True)
    for end in range(0, len(footer), max(1, len(footer) // 200)):
        assert RowGroups(footer[:end], metadata).of(0, 0, len) is None
