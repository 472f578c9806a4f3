"""Integers of 128 bits, which polars has and Arrow does not."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from bigviz.common.errors import BigvizError, Unplottable
from bigviz.data.formats.arrow_schema import without_wide_integers
from bigviz.data.open import open as open_table

WRITERS = ("write_ipc", "write_ipc_stream", "write_parquet")


@pytest.fixture
def frame() -> pl.DataFrame:
    big = [1, 2**100, None, -(2**127)] * 500
    return pl.DataFrame(
        {
            "id": pl.Series(big, dtype=pl.Int128),
            "x": [1.0, 2.0, None, 4.0] * 500,
            "s": ["a", "b", None, "a"] * 500,
            "lists": pl.Series([[each] for each in big], dtype=pl.List(pl.Int128)),
            "c": pl.Series(["p", "q", "p", None] * 500, dtype=pl.Categorical),
            "n": range(2000),
        }
    )


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("compression", ["uncompressed", "zstd"])
def test_a_column_of_wide_integers_is_passed_over(
    frame: pl.DataFrame, tmp_path: Path, writer: str, compression: str
) -> None:
    path = tmp_path / "t"
    getattr(frame, writer)(path, compression=compression)
    dataset = open_table(path)
    assert dataset.schema.names == frame.columns
    assert dataset.column("n").values.tolist() == list(range(2000))
    rows = np.array([1999, 4, 2])
    wanted = frame.select("s", "x", "c")[rows.tolist()]
    assert dataset.take(rows, ["s", "x", "c"]).to_pylist() == wanted.to_dicts()
    assert dataset.column("c").categories == ("p", "q") and dataset.column("s").categories == ("a", "b")
    for name in ("id", "lists"):
        with pytest.raises(
            Unplottable, match=f"'{name}' of 't' holds integers of 128 bits.*can be plotted: 'x', 's', 'c'"
        ):
            dataset.column(name)
    assert len(dataset.notes) == 2


@pytest.mark.parametrize("writer", WRITERS)
def test_files_with_and_without_wide_integers(frame: pl.DataFrame, tmp_path: Path, writer: str) -> None:
    getattr(frame, writer)(tmp_path / "1.parquet")
    getattr(frame.with_columns(pl.col("n").alias("id")), writer)(tmp_path / "2.parquet")
    dataset = open_table(tmp_path)
    assert dataset.column("n").values.tolist() == [*range(2000)] * 2
    with pytest.raises(Unplottable, match=r"'id' .* holds integers of 128 bits.*1\.parquet"):
        dataset.column("id")


def test_schemas_without_wide_integers_stay() -> None:
    fields = [("a", pa.int64()), ("b", pa.list_(pa.uint8())), ("c", pa.dictionary(pa.int8(), pa.string()))]
    message = pa.schema(fields).serialize().to_pybytes()
    assert without_wide_integers(message) == (message, {})


@pytest.mark.parametrize("writer", WRITERS)
def test_damage_to_schemas_that_are_changed(frame: pl.DataFrame, tmp_path: Path, writer: str) -> None:
    """No error but bigviz's own, and never the end of the process."""
    path = tmp_path / "t"
    getattr(frame.head(20), writer)(path)
    data = path.read_bytes()
    random_ = random.Random(13)
    ends = 0
    for _ in range(120):
        damaged = bytearray(data)
        reach = random_.choice([900, len(data)])
        for _ in range(random_.choice([1, 2])):
            at = random_.randrange(min(reach, len(data)))
            damaged[at if writer == "write_ipc_stream" else -1 - at] = random_.randrange(256)
        path.write_bytes(damaged)
        try:
            dataset = open_table(path)
            for info in dataset.columns():
                if info.plottable:
                    dataset.column(info.name)
        except BigvizError:
            ends += 1
    assert 0 < ends < 120
