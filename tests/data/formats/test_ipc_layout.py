"""Arrow files read in parts of their batches: what metadata say is checked before it is followed."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

from bigviz.common.errors import BigvizError, Unreadable
from bigviz.data.formats import ipc as ipc_part
from bigviz.data.formats.ipc_layout import layout_of
from bigviz.data.open import open as open_table

ROWS = 500


def table() -> pa.Table:
    rng = np.random.default_rng(1)
    missing = rng.random(ROWS) < 0.1
    labels = [f"label {k % 9}" for k in range(ROWS)]
    return pa.table(
        {
            "f4": rng.normal(size=ROWS).astype(np.float32),
            "i8": pa.array(rng.integers(0, 99, ROWS), mask=missing),
            "flag": pa.array(missing, mask=~missing),
            "text": pa.array([None if gone else label for gone, label in zip(missing, labels, strict=True)]),
            "large": pa.array(labels, pa.large_string()),
            "kind": pa.array(labels).dictionary_encode(),
            "price": pa.array([str(k) for k in range(ROWS)]).cast(pa.decimal128(9, 2)),
            "nothing": pa.nulls(ROWS),
        }
    )


def write(path: Path, rows: pa.Table, **options: object) -> None:
    with ipc.new_file(str(path), rows.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(rows)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipc_part, "_PIECE", 64)


def test_every_type_is_read_in_parts(tmp_path: Path) -> None:
    write(tmp_path / "t.arrow", table())
    dataset = open_table(tmp_path / "t.arrow")
    assert len(dataset.chunks()) == 8
    assert dataset.arrow(table().schema.names).combine_chunks().equals(table())


@pytest.mark.parametrize("options", [{"compression": "lz4"}, {"use_legacy_format": True}])
def test_other_layouts_are_read_whole(tmp_path: Path, options: dict[str, object]) -> None:
    write(tmp_path / "t.arrow", table(), **options)
    dataset = open_table(tmp_path / "t.arrow")
    assert len(dataset.chunks()) == 1
    assert dataset.arrow(["f4", "kind"]).combine_chunks().equals(table().select(["f4", "kind"]))


def test_opening_reads_no_rows(tmp_path: Path) -> None:
    """pyarrow's own count of rows reads every batch: 8 GB for 10^9 points."""
    rows = pa.table({"x": np.zeros(1 << 22)})
    write(tmp_path / "t.arrow", rows)
    with pa.OSFile(str(tmp_path / "t.arrow")) as handle:
        before = pa.total_allocated_bytes()
        layout = layout_of(handle, rows.schema)
        assert layout is not None and layout.batches[0].rows == 1 << 22
        assert pa.total_allocated_bytes() - before < 1 << 16


def test_damage_anywhere_is_an_error_or_other_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.arrow"
    write(path, table())
    whole = path.read_bytes()
    chance = random.Random(2)
    errors = 0
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 1, 3])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])])
        try:
            dataset = open_table(path)
            for number in range(len(dataset.chunks())):
                for _, columns in dataset.read(number, [each.name for each in dataset.columns() if each.plottable]):
                    assert all(len(column) == len(columns[0]) for column in columns)
        except BigvizError:
            errors += 1
    assert errors > 10


def test_buffers_shorter_than_the_rows_they_are_for(tmp_path: Path) -> None:
    """A batch that declares more rows than its buffers hold."""
    path = tmp_path / "t.arrow"
    rows = pa.table({"x": np.arange(ROWS)})
    write(path, rows)
    data = bytearray(path.read_bytes())
    at = data.find((ROWS).to_bytes(8, "little"))
    while at >= 0:
        data[at : at + 8] = (ROWS * 64).to_bytes(8, "little")
        at = data.find((ROWS).to_bytes(8, "little"), at + 8)
    path.write_bytes(data)
    dataset = open_table(path)
    with pytest.raises(Unreadable):
        for number in range(len(dataset.chunks())):
            list(dataset.read(number, ["x"]))
