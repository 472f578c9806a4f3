"""What a worker keeps of selections between questions is bounded, and none of it is of layers that it has dropped."""

from __future__ import annotations

import gc
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER
from bigviz.data.open import open as open_dataset
from bigviz.tiles.cluster.messages import Answer, layer_facts
from bigviz.tiles.cluster.part_host import PartHost
from bigviz.tiles.engine import Engine

ROWS = 3000


def asked(folder: Path, engine: Engine, layer: Layer) -> tuple[PartHost, dict[str, Any]]:
    """A worker that holds all rows of a table, and the facts of a question of a layer."""
    rng = np.random.default_rng(3)
    table = pa.table({name: rng.random(ROWS) for name in "xyv"})
    for number in range(2):
        pq.write_table(table, folder / f"{number}.parquet")
    whole = open_dataset(folder)
    info = Engine(threads=1, index="never").info(whole, layer)
    assert whole.origin is not None
    told = {"dataset": whole.fingerprint, "part": (0, 2), "labels": []}
    host = PartHost(engine, 1)
    host.answer(Answer({**told, "ask": "open", "name": "t", "origin": asdict(whole.origin)}), NEVER)
    return host, {**told, "layer": layer_facts(layer, (info.root_x, info.root_y))}


def test_numbers_of_two_selections_are_kept(tmp_path: Path) -> None:
    host, facts = asked(tmp_path, Engine(threads=1, index="never"), Layer("points", "x", "y", "count"))
    question = {**facts, "ask": "ends", "column": "v", "by": None}
    for number in range(4):
        region = {"x": [0.0, 0.5 + number / 10], "y": [0.0, 1.0]}
        for _ in range(2):
            host.answer(Answer({**question, "region": region, "round": f"{number}"}), NEVER)
    kept = list(host._selections._kept.values())
    assert [each.numbers is not None for each in kept] == [False, False, True, True]


def test_a_layer_that_the_engine_drops_is_gone(tmp_path: Path) -> None:
    engine = Engine(threads=1, index="never", index_bytes=180_000)  # one order
    host, facts = asked(tmp_path, engine, Layer("points", "x", "y", "count"))
    host.answer(Answer({**facts, "ask": "select", "region": {"x": [0.0, 0.5], "y": [0.0, 1.0]}}), NEVER)
    (kept,) = host._selections._kept.values()
    built = weakref.ref(kept.built)
    del kept
    other = {**facts["layer"], "x": "v"}
    host.answer(Answer({**facts, "layer": other, "ask": "ensure", "published": False}), NEVER)
    gc.collect()
    assert built() is None and not host._selections._kept
