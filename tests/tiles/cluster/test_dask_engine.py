"""Two workers of a Dask cluster against one process over the same files."""

from __future__ import annotations

import os
import signal
import socket
import ssl

import numpy as np
import psutil
import pytest
from distributed import LocalCluster

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset
from bigviz.tiles.built_layers import layer_key
from bigviz.tiles.cluster.cluster_layer import ClusterLayer
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.workers import Moved
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

from ...patience import PATIENCE, until

LINE = Layer("line", "x", "y", "any")
KEYS = (TileKey(0, 0, 0, 0), TileKey(1, 1, 0, 0), TileKey(2, 3, 1, 4))
ALL = -1e300, 1e300
LAYERS = [
    Layer("points", "x", "y", agg)
    for agg in ("count", "any", "sum(v)", "mean(v)", "min(v)", "max(f)", "first(v)", "last(f)", "mean(t)", "sum(huge)",
                "by(kind)", "by(kind, first(v))", "by(n, max(f))")
] + [
    Layer("points", "x", "kind", "by(kind)"),
    Layer("points", "f", "y", "count", xaxis="log"),
    Layer("points", "t", "y", "last(v)", xaxis="datetime"),
    Layer("points", "x", "y", "count", root="full"),
    Layer("points", "x", "y", "by(kind)", filter="v > 50 and kind in ('a', 'z')"),
]  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_all_answers_equal_those_of_one_process(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset, layer: Layer
) -> None:
    info = engine.info(dataset, layer)
    assert info == alone.info(whole, layer) and info.range is not None
    x0, y0, x1, y1 = info.range
    for key in KEYS:
        found, expected = engine.tile(dataset, layer, key), alone.tile(whole, layer, key)
        assert found.planes == expected.planes
        same(found.arrays(), expected.arrays())
    window = x0, x1, y0, y1
    same(engine.image(dataset, layer, *window, 80, 60), alone.image(whole, layer, *window, 80, 60))
    image, other = (
        each.window_image(data, layer, (x0, x1), (y0, y1), (300, 200))
        for each, data in ((engine, dataset), (alone, whole))
    )
    assert image is not None and other is not None and image.planes == other.planes


def same(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for plane, other in zip(found, expected, strict=True):
        assert plane.dtype == other.dtype
        np.testing.assert_array_equal(np.ma.getmaskarray(plane), np.ma.getmaskarray(other))
        np.testing.assert_array_equal(np.ma.filled(plane, 0), np.ma.filled(other, 0))


@pytest.mark.parametrize("layer", (LAYERS[0], LAYERS[3], LAYERS[-1]), ids=str)
def test_rows_and_marks_equal_those_of_one_process(
    engine: DaskEngine, alone: Engine, dataset: Dataset, layer: Layer
) -> None:
    for window, limit in (((-0.5, 0.5, -0.5, 0.5), 200), ((*ALL, *ALL), 50_000)):
        found, expected = (each.rows(dataset, layer, *window, limit) for each in (engine, alone))
        assert found.equals(expected) and found.schema.metadata == expected.schema.metadata
    marks, others = (each.marks(dataset, layer, (-2.0, 2.0), (-2.0, 2.0)) for each in (engine, alone))
    assert marks is not None and others is not None and marks.matched == others.matched
    for name in ("x", "y", "row", "number", "code", "value"):
        np.testing.assert_array_equal(getattr(marks, name), getattr(others, name))
    assert engine.marks(dataset, layer, (-2.0, 2.0), (-2.0, 2.0), most=10) is None


def test_sums_of_floats_differ_in_their_last_bits_alone_and_by_name(
    engine: DaskEngine, alone: Engine, dataset: Dataset
) -> None:
    layer = Layer("points", "x", "y", "mean(f)")
    found, expected = (each.tile(dataset, layer, KEYS[0]).arrays()[0] for each in (engine, alone))
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert engine.etag(dataset, layer) != alone.etag(dataset, layer)
    assert engine.etag(dataset, LAYERS[0]) == alone.etag(dataset, LAYERS[0])


def test_what_is_started_here_listens_on_this_machine_alone(engine: DaskEngine) -> None:
    here = psutil.Process()
    found = [
        each.laddr.ip
        for process in (here, *here.children(recursive=True))
        for each in process.net_connections(kind="inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert "127.0.0.1" in found and not {"0.0.0.0", "::"} & set(found)


def test_who_lacks_the_key_is_not_heard_by_what_is_started_here(cluster: LocalCluster) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for address in (cluster.scheduler_address, *(each.address for each in cluster.workers.values())):
        scheme, _, place = address.partition("://")
        host, _, port = place.rpartition(":")
        assert scheme == "tls"
        with socket.create_connection((host, int(port)), PATIENCE) as plain:
            try:  # Dask greets whoever it lets in
                with context.wrap_socket(plain) as secured:
                    greeting = secured.recv(1)
            except OSError:
                greeting = b""
        assert greeting == b""


def test_tables_in_memory_are_answered_for_by_this_process(engine: DaskEngine) -> None:
    table = open_dataset({"x": [1.0, 2.0, 3.0], "y": [1.0, 5.0, 2.0]})
    assert engine.tile(table, Layer("line", "x", "y", "any"), KEYS[0]).arrays()[0].any()
    assert engine.holders(table, LAYERS[0]) is None


def test_layers_that_were_used_longest_ago_are_let_go(
    engine: DaskEngine, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.layers.store, "_bound", (ClusterLayer, 2))
    layers = [Layer("points", "x", "y", "count", filter=f"n > {number}") for number in range(3)]
    for each in layers:
        engine.ensure(dataset, each)
    assert [engine.readiness(dataset, each) for each in layers] == ["none", "complete", "complete"]
    assert engine.tile(dataset, layers[0], KEYS[0]).arrays()[0].any()


def test_of_a_table_that_is_forgotten_nothing_is_kept_and_it_is_divided_anew_when_it_is_shown_again(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset
) -> None:
    layer = Layer("points", "x", "y", "by(kind)")
    for _ in range(2):
        found, expected = (
            each.image(table, layer, -1, 1, -1, 1, 9, 9) for each, table in ((engine, dataset), (alone, whole))
        )
        same(found, expected)
        assert dataset in engine.workers.assignment.datasets
        part, old = engine.workers.parts_of(dataset)[0], engine.layers.store.find(layer_key(dataset, layer))[0]
        engine.forget(dataset)
        assert dataset not in engine.workers.assignment.datasets and engine.workers.holder(part) is None
        maker = engine._maker
        for kept in (maker._surveys, maker._prepared, engine.workers._assignment._labels):
            assert dataset.fingerprint not in {name for name, _ in kept}
        with pytest.raises(Moved):  # who still has the layer is told to ask again
            old.arrays(KEYS[1])
        with pytest.raises(Moved):
            old.restore(False)


def test_a_caller_who_does_not_wait_any_more_is_not_kept(engine: DaskEngine, dataset: Dataset) -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        engine.rows(dataset, LAYERS[0], *ALL, *ALL, cancel=cancel)


def test_rows_of_a_lost_worker_are_estimated_and_then_held_by_others(
    engine: DaskEngine, alone: Engine, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, line, bins, bars = LAYERS[0], LINE, Layer("histogram", "v", ""), Layer("bar", "kind", "")
    for each in (layer, line, bins, bars):
        engine.ensure(dataset, each)
    until(lambda: engine.holders(dataset, layer).holding == 2)  # else one was lost, and its rows move back
    parts = engine.workers.parts_of(dataset)
    assert engine.holders(dataset, layer).rows_held == dataset.num_rows
    for tell in ("losses", "joins"):  # nobody has them indexed again but who asks
        monkeypatch.setattr(engine.workers._members, tell, [])
    pids = engine.workers._members._client.run(os.getpid)
    lost = engine.workers.holder(parts[0])
    assert lost is not None
    os.kill(pids[lost[0]], signal.SIGKILL)
    with pytest.raises(Moved):
        while True:  # until the loss is noticed
            engine.rows(dataset, layer, *ALL, *ALL)
    held = engine.holders(dataset, layer)
    assert held is not None and held.rows_held == parts[1].rows and held.holding == 1
    assert engine.readiness(dataset, layer) == "building"
    sample = engine.preview(dataset, layer)
    assert sample is not None and not sample.whole
    drawn, estimate = sample.tile(KEYS[0])
    assert estimate.share == parts[1].rows / dataset.num_rows
    assert sum(plane.filled for plane in drawn.planes) > 0
    with pytest.raises(Moved):
        engine.columns(dataset, line, -2.0, 3.0, 30)
    _, share = engine.preview(dataset, line).columns(-2.0, 3.0, 30)  # type: ignore[union-attr]
    assert share.share == estimate.share
    with pytest.raises(Moved):
        engine.bars(dataset, bins, 10, 20)
    counts = engine.bars(dataset, bars, 0, 1).values  # of all rows: they were counted before
    assert counts.sum() == dataset.num_rows
    stages: list[int] = []
    engine.ensure(dataset, layer, lambda stage, done, rows: stages.append(rows))
    assert stages[0] == parts[1].rows and stages[-1] == dataset.num_rows
    assert sample.whole and engine.readiness(dataset, layer) == "complete"
    found, expected = (each.image(dataset, layer, -1.0, 1.0, -1.0, 1.0, 50, 50) for each in (engine, alone))
    same(found, expected)
    for other in (line, bins):
        engine.ensure(dataset, other)
    columns, others = (each.columns(dataset, line, -2.0, 3.0, 30) for each in (engine, alone))
    np.testing.assert_array_equal(columns.row, others.row)
    assert engine.bars(dataset, bins, 10, 20).table().equals(alone.bars(dataset, bins, 10, 20).table())
