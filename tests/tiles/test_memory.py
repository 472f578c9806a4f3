"""What a process that serves a stored layer holds in memory: not its rows. Measured from /proc, in another process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 2_000_000

_BUILD = """
import sys
from pathlib import Path
import bigviz as bv
from bigviz.tiles import disk_indexes
from bigviz.tiles.engine import Engine
from bigviz.aggregate.layer import Layer
from bigviz.tiles.store.catalog.directory import StoreDirectory

disk_indexes.STORED_ROWS = 1
for path in sys.argv[2:]:
    engine, dataset = Engine(stores=StoreDirectory(Path(sys.argv[1]))), bv.open(path)
    layer = Layer("points", "x", "y", "mean(v)")
    engine.publish(dataset, layer)
    engine.ensure(dataset, layer)
"""

_SERVE = """
import gc, json, sys
from pathlib import Path
import bigviz as bv
from bigviz.tiles.engine import Engine
from bigviz.aggregate.layer import Layer
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.store.catalog.directory import StoreDirectory

def anonymous():
    gc.collect()
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:"))

def look(path):
    dataset = bv.open(path)
    engine = Engine(cache_bytes=4 << 20, stores=StoreDirectory(Path(sys.argv[1])), index="existing")
    total = 0
    layer = Layer("points", "x", "y", "mean(v)")
    for z in (0, 2, 5, 9):
        for i in range(min(1 << z, 2)):
            tile = engine.tile(dataset, layer, TileKey(z, z, (1 << z) // 2 + i if z else 0, (1 << z) // 2))
            total += sum(plane.filled for plane in tile.planes)
    engine.rows(dataset, layer, -0.01, 0.01, -0.01, 0.01, 100)
    return engine, total

kept = [look(sys.argv[2])]  # compiles kernels, loads libraries
before = anonymous()
kept.append(look(sys.argv[3]))
print(json.dumps({"held": anonymous() - before, "filled": kept[-1][1], "columns": kept[-1][0].memory()["columns"]}))
"""


def test_a_stored_layer_takes_no_memory_for_its_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    paths = []
    for name, rows in (("small", 100_000), ("large", ROWS)):
        x, y, v = rng.normal(0, 1, (3, rows)).astype(np.float32)
        paths.append(str(tmp_path / f"{name}.parquet"))
        pq.write_table(pa.table({"x": x, "y": y, "v": v}), paths[-1], row_group_size=1 << 17)
    arguments = [str(tmp_path / "stores"), *paths]
    subprocess.run([sys.executable, "-c", _BUILD, *arguments], check=True, timeout=300)
    served = subprocess.run(
        [sys.executable, "-c", _SERVE, *arguments], check=True, timeout=300, capture_output=True, text=True
    )
    found = json.loads(served.stdout)
    assert found["filled"] > 0 and found["columns"] == 0
    assert found["held"] < 12 << 20, "x, y and keys of these rows alone are 32 MB"
