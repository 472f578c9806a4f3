"""What `bigviz info` says of indexes."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.commands.info import summary
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, BigvizError, Cancelled, NotFound
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open as open_dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory

from ..data.remote.range_server import range_server


def write(path: Path, dataset: Dataset, spec: OrderSpec, columns: Sequence[str], crew: Crew) -> Mapping[str, Any]:
    crew.progress("ordering rows", 0.25, 100)
    (path / "keys.arrow").write_bytes(b"k" * 1000)
    crew.cancel.check()
    return {}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "trips.parquet"
    pq.write_table(pa.table({"x": rng.random(400), "y": rng.random(400)}), path)
    return path


@pytest.fixture
def stores(tmp_path: Path) -> StoreDirectory:
    return StoreDirectory(tmp_path / "stores", 1 << 30, {"order": write})


def test_a_table_tells_of_its_indexes(table: Path, stores: StoreDirectory):
    without = summary(str(table), stores.root)
    store = stores.build(open_dataset(table), OrderSpec("x", "y", xaxis="log", root="full"))
    other = table.with_name("other.parquet")
    other.write_bytes(table.read_bytes())
    stores.build(open_dataset(other), OrderSpec("x", "y"))
    stores.add(store, "pyramids", "count", lambda folder, crew: {})
    text = summary(str(table), stores.root)
    assert text.startswith(without) and without.splitlines()[-1].startswith("Shown without")
    told = text[len(without) :].strip().splitlines()
    assert told[0] == str(store) and "other.parquet" not in text
    assert "x (log) and y (linear): rows in Morton order, far rows included" in told[1]
    for words in (f"{table}, 400 rows", "fresh: its source has not changed", "count (", "keys.arrow 1.0 kB", "format"):
        assert words in text


def test_an_index_and_a_directory_of_indexes(table: Path, stores: StoreDirectory):
    store = stores.build(open_dataset(table), OrderSpec("x", "y"))
    alone = summary(str(store))
    assert alone.startswith(str(store)) and alone == summary(str(stores.root))
    os.utime(table, ns=(1, 1))
    assert "stale: its source has changed" in summary(str(store))
    table.unlink()
    assert "its source is gone" in summary(str(store))
    (store / "keys.arrow").write_bytes(b"")
    assert "damaged: it is built again" in summary(str(store)) and "format" not in summary(str(store))


def test_an_index_of_a_file_that_is_elsewhere(table: Path, stores: StoreDirectory):
    with range_server(trips_parquet=table.read_bytes()) as web:
        address = web.at("trips.parquet", "me:secret@") + "?signature=secret"
        store = stores.build(open_dataset(address), OrderSpec("x", "y"))
        text = summary(address, stores.root)
        asked = len(web.requests)
        assert f"{web.at('trips.parquet')}, 400 rows" in text and text.endswith(summary(str(store)))
        assert "its source is elsewhere" in text and len(web.requests) == asked
        assert stores.find(open_dataset(web.at("trips.parquet")), OrderSpec("x", "y")) == store
        written = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
        assert "secret" not in text and b"secret" not in written
        web.etag = '"two"'
        assert stores.find(open_dataset(web.at("trips.parquet")), OrderSpec("x", "y")) is None


def test_an_index_that_is_not_finished(table: Path, stores: StoreDirectory):
    cancel = Cancel()
    crew = Crew(1, lambda stage, done, rows: cancel.cancel(), cancel)
    with pytest.raises(Cancelled):
        stores.build(open_dataset(table), OrderSpec("x", "y"), (), crew)
    for text in (summary(str(table), stores.root), summary(str(stores.root))):
        assert "unfinished, 25% of 'ordering rows' when it last reported: run the command that began it" in text
        assert "x (linear) and y (linear)" in text


@pytest.mark.parametrize(
    "name", ["n" * 300, "n" * 300 + ".parquet", "é" * 150, "a/" + "n" * 300 + "/t.parquet", "n/" * 3000]
)
def test_names_that_are_longer_than_names_can_be(name: str, tmp_path: Path):
    for path in (name, str(tmp_path / name)):
        with pytest.raises(NotFound, match=r"There is no file [/né]|There is no file a/n"):
            summary(path, tmp_path)
    with pytest.raises(NotFound, match="No data file matches"):
        summary(f"{name}*.csv", tmp_path)


def test_what_cannot_be_read_is_said_in_a_sentence(
    table: Path, stores: StoreDirectory, monkeypatch: pytest.MonkeyPatch
):
    long = "a" * 300
    text = summary(str(table), table.parent / long)
    assert "400 rows" in text and f"Note: {table.parent / long} cannot be used for indexes (file name too long)" in text

    def refused(path: Path) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    stores.root.mkdir()
    monkeypatch.setattr(Path, "iterdir", refused)
    assert f"Note: {stores.root} cannot be used for indexes (permission denied)" in summary(str(table), stores.root)
    with pytest.raises(BigvizError):
        summary(str(stores.root))
    with pytest.raises(BadInput, match="permission denied"):
        stores.entries()


def test_long_names_and_types_do_not_fill_the_screen(tmp_path: Path):
    table = pa.table({"x": [1.0], "z" * 5_000: pa.array([1], pa.timestamp("s", "q" * 5_000))})
    pq.write_table(table, tmp_path / "long.parquet")
    lines = summary(str(tmp_path / "long.parquet"), tmp_path).splitlines()
    assert max(map(len, lines)) < 300 and lines[1].split() == ["x", "double"] and len(lines[1]) < 60


def test_a_long_csv_is_sampled_unless_it_is_to_be_exact(tmp_path: Path, stores: StoreDirectory):
    path = tmp_path / "sensor.csv"
    path.write_text("x;y\n" + "".join(f"{row},5;{row % 7}\n" for row in range(100_000)) + "1,5;off\n")
    told = summary(str(path), stores.root).splitlines()
    assert told[0].startswith("sensor: about ")
    assert told[0].endswith(" rows (estimated; --exact counts them), 2 columns")
    about = int(told[0].split()[2].replace(",", ""))
    assert about == pytest.approx(100_001, rel=0.1) and told[2].split() == ["y", "int64"]
    assert "decimal commas; line 1 holds the names 'x', 'y'; types are those of the first 20,480 rows." in told[-1]
    told = summary(str(path), stores.root, exact=True).splitlines()
    assert told[0] == "sensor: 100,001 rows, 2 columns" and told[2].split() == ["y", "string"]
    assert told[-1].endswith("line 1 holds the names 'x', 'y'; 'y' is text, since row 100,001 holds 'off'.")
    told = summary(str(path), stores.root, CsvOptions(header=False)).splitlines()
    assert told[1].split() == ["f0", "string"] and "no line of names, the first line is a row" in told[-1]
