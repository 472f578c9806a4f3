"""A Dask DataFrame, opened with its client, is drawn by the workers that hold it, and equals the same table here."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import frame_source
from bigviz.document.document import document
from bigviz.server.run.engine_of_frames import engine_of_frames
from bigviz.server.run.options import Options
from bigviz.tiles.cluster.connect import joined
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

from ...fetch import fetched

ROWS = (700, 0, 500, 300)
LAYERS = [
    Layer("points", "x", "y", agg, filter=kept)
    for agg, kept in (("count", ""), ("by(kind)", "v > 20"), ("first(v)", ""), ("max(late)", ""), ("mean(v)", ""))
] + [Layer("line", "x", "y", "any"), Layer("histogram", "v", "", "count")]


def partition(number: int) -> pd.DataFrame:
    """A partition: one is empty, labels differ, and so do the types of `v`; one lacks `late`."""
    rows, rng = ROWS[number], np.random.default_rng(number)
    found = pd.DataFrame({
        "x": rng.normal(size=rows),
        "y": rng.normal(size=rows).astype(np.float32),
        "v": rng.integers(0, 50, rows).astype(np.int8 if number else np.int64),
        "kind": pd.Categorical(rng.choice([*"abcd"[number:]], rows)),
        "mixed": rng.random(rows) if number else ["text"] * rows,
    })  # fmt: skip
    return found.assign(late=rng.integers(0, 9, rows)) if number != 2 else found


def await_end(before: set[threading.Thread]) -> None:
    """Wait until the threads have ended that have to do with a connection, and were not there before."""
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith(("bigviz-workers", "bigviz-moves", "IO loop")):
            thread.join()


def whole() -> pd.DataFrame:
    parts = [partition(number) for number in range(len(ROWS))]
    return pd.concat([each.assign(kind=each["kind"].astype(str)) for each in parts], ignore_index=True).astype(
        {"late": "Int64"}
    )


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    nowhere = "127.0.0.1:0"
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            dashboard_address=nowhere,
            worker_dashboard_address=nowhere,
        ) as cluster,
        Client(cluster, set_as_default=False) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def frame() -> Any:
    meta = partition(0).iloc[:0]
    return dd.from_delayed([dask.delayed(partition)(number) for number in range(len(ROWS))], meta, verify_meta=False)


@pytest.fixture(scope="module")
def dataset(client: Client, frame: Any) -> Dataset:
    return bv.open(frame, client=client, name="t")


@pytest.fixture(scope="module")
def engine(dataset: Dataset) -> Iterator[DaskEngine]:
    made = engine_of_frames(document(bv.figure().points(dataset, "x", "y")), Options(index="never").storage)
    assert made is not None
    yield made
    made.close()


def test_workers_draw_what_the_same_table_here_shows(engine: DaskEngine, dataset: Dataset) -> None:
    alone, here = Engine(threads=1, index="never"), bv.open(whole().drop(columns="mixed"))
    assert dataset.num_rows == here.num_rows == sum(ROWS)
    for layer in LAYERS:
        assert engine.info(dataset, layer).root_x == alone.info(here, layer).root_x
        if layer.glyph == "histogram":
            bars = [each.bars(data, layer, 0, 50) for each, data in ((engine, dataset), (alone, here))]
            np.testing.assert_array_equal(bars[0].values, bars[1].values)
            continue
        for key in (TileKey(0, 0, 0, 0), TileKey(2, 1, 1, 0)):
            found, expected = (each.tile(data, layer, key).arrays() for each, data in
                               ((engine, dataset), (alone, here)))  # fmt: skip
            for plane, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(np.ma.filled(plane, 0), np.ma.filled(other, 0))
    assert engine.holders(dataset, LAYERS[0]).holding == 2


def test_rows_are_numbered_partition_after_partition(engine: DaskEngine, dataset: Dataset) -> None:
    alone, here = Engine(threads=1, index="never"), bv.open(whole().drop(columns="mixed"))
    window = (-0.5, 0.5, -0.5, 0.5, 300)
    found, expected = engine.rows(dataset, LAYERS[0], *window), alone.rows(here, LAYERS[0], *window)
    assert found.column("row").equals(expected.column("row")) and found.num_rows
    assert found.column("x").combine_chunks().equals(expected.column("x").combine_chunks())
    head = dataset.head("x").values
    np.testing.assert_array_equal(head, whole()["x"].to_numpy()[: len(head)])


def test_types_that_have_none_in_common_are_told_and_the_others_drawn(dataset: Dataset) -> None:
    (note,) = [each for each in dataset.notes if "mixed" in each]
    assert "partition 0" in note and "string" in note and "double" in note


def test_a_script_serves_it_as_any_other_table(client: Client, dataset: Dataset) -> None:
    figure = bv.figure(title="t").points(dataset, "x", "y")
    with bv.serve(figure, port=0, block=False, quiet=True, index="never") as served:
        facts = json.loads(fetched(f"{served.url}layers/0/tilejson.json"))
        plane = np.load(io.BytesIO(fetched(f"{served.url}layers/0/tiles/0/0/0.npy")))
        told = json.loads(fetched(f"{served.url}layers/0/tilejson.json"))
    assert facts["rows"] == plane.sum() == sum(ROWS)
    assert told["workers"] == {"known": 2, "holding": 2, "rows_held": sum(ROWS)}
    assert client.status == "running"  # it goes on without the server


def test_a_server_that_cannot_begin_leaves_the_cluster(client: Client, dataset: Dataset) -> None:
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(bv.BadInput, match="in use"):
        port = taken.getsockname()[1]
        bv.serve(bv.figure().points(dataset, "x", "y"), port=port, block=False, quiet=True, index="never")
    await_end(before)


def test_what_cannot_be_opened_is_told_in_words(client: Client, frame: Any) -> None:
    for source, given, said in (
        (frame, None, "is opened with the client"),
        (frame, object(), "got a object"),
        ({"x": [1.0]}, client, "client is for a Dask DataFrame"),
    ):
        with pytest.raises(bv.BadInput, match=said):
            bv.open(source, client=given)
    broken = frame.map_partitions(lambda each: each["x"] / each["nothing"], meta=("x", float)).to_frame()
    with pytest.raises(bv.Unreadable, match="cannot be computed: KeyError"):
        bv.open(broken, client=client)


def test_workers_of_another_version_are_not_used(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigviz.tiles.cluster.membership.__version__", "99.0")
    before = set(threading.enumerate())
    with pytest.raises(bv.BadInput, match=f"runs bigviz {bv.__version__}, this is 99.0: install the same one"):
        joined(client, HostSettings(None, None, None, "never"))
    await_end(before)


def test_an_empty_one_is_a_table_without_rows(client: Client, frame: Any) -> None:
    empty = bv.open(frame[frame["x"] > 1e9], client=client)
    assert empty.num_rows == 0 and frame_source(empty) is None
    assert "x" in [each.name for each in empty.columns()]
