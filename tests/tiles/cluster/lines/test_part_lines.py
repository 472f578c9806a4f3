"""What a worker answers of its rows of a line is the same from memory and from its disk."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER
from bigviz.data.open import open as open_dataset
from bigviz.tiles import disk_indexes
from bigviz.tiles.cluster.messages import Answer, layer_facts
from bigviz.tiles.cluster.part_host import PartHost
from bigviz.tiles.engine import Engine
from bigviz.tiles.store.catalog.directory import StoreDirectory

LAYER = Layer("line", "x", "y", "any")


def test_lines_on_the_disk_answer_as_those_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, rows = np.random.default_rng(4), 4000
    y = rng.normal(0, 1, rows).cumsum()
    y[rng.random(rows) < 0.05] = np.nan
    table = pa.table({"x": rng.permutation(rows), "y": y})
    (tmp_path / "t").mkdir()
    for number in range(2):
        pq.write_table(table.slice(2000 * number, 2000), tmp_path / "t" / f"{number}.parquet")
    whole = open_dataset(tmp_path / "t")
    info = Engine(threads=1, index="never").info(whole, LAYER)
    assert whole.origin is not None
    told = {"dataset": whole.fingerprint, "part": (1, 2), "labels": []}
    facts = {**told, "layer": layer_facts(LAYER, (info.root_x, info.root_y))}
    ends = {"first": [[900, 1900], [1, 2]], "last": [[1100, 2090], [3, 4]]}
    gaps = {"opening": [[950, 1930], [1, 2]], "closing": [[1000, 2000], [3, 4]]}
    window = {"columns": [0, 3999, 40], "torn": [10, 20]}
    questions: list[dict[str, Any]] = [
        {"ask": "line_picks", **window},
        {"ask": "line_tiles", "keys": [[0, 0, 0, 0], [2, 1, 1, 0]]},
        {"ask": "line_gaps", **window, **ends},
        {"ask": "line_runs", **window, **gaps},
        {"ask": "line_columns", "columns": [0, 3999, 40], "chosen": [3, 4, 9], "values": True},
        {"ask": "line_columns", "columns": [-99, 3999, 90], "chosen": [0, 1], "values": True},
        {"ask": "line_rows", "x": [50, 2000], "y": [-9.0, 9.0], "limit": 30},
        {"ask": "line_image", "x": [0, 3999, 30], "y": [-50.0, 50.0, 20]},
    ]
    answers = []
    stores = StoreDirectory(tmp_path / "stores")
    for stored in (False, True):
        monkeypatch.setattr(disk_indexes, "STORED_ROWS", 1 if stored else 1 << 24)
        host = PartHost(Engine(threads=1, stores=stores if stored else None, index="auto"), 1)
        host.answer(Answer({**told, "ask": "open", "name": "t", "origin": asdict(whole.origin)}), NEVER)
        found = [host.answer(Answer({**facts, "ask": "ensure", "published": True}), NEVER)]
        found += [host.answer(Answer({**facts, **question}), NEVER) for question in questions]
        answers.append([(each.head, [bytes(body) for body in each.bodies]) for each in found])
    assert stores.entries()
    for one, other in zip(*answers, strict=True):
        assert one == other
