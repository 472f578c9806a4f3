"""Real builds that are killed at random: run as a program with a directory, an order or a series, rounds and a seed.

A child builds and is killed after a random time, or at a random call that changes the disk, several times over one
store; then what is there is looked at, the build is carried on to its end, and its files are compared with those of a
build that nobody disturbed.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from crashing import counted

from bigviz.common.workers import Crew
from bigviz.data.formats import parquet
from bigviz.data.open import open as open_dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.files.manifest import NAME, read_manifest
from bigviz.tiles.store.order import buckets, partition, plan

ROWS = 100_000


def shrink() -> None:
    """Sizes that make an order of these rows go through several rounds and many buckets."""
    parquet.BATCH = partition.SLICE = 16_000
    partition.ROUND_BYTES = 1  # type: ignore[misc]
    buckets.FULL = plan.FULL = 3_000  # type: ignore[misc]
    buckets.HEAVY = 6_000  # type: ignore[misc]


def table(path: Path, seed: int) -> str:
    """Rows of which some are far, some are no numbers, and many lie on few points."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=ROWS).astype(np.float32)
    x[rng.random(ROWS) < 0.3] = 0.5
    x[:100], x[100:110] = np.nan, 1e30
    columns = {"x": x, "y": rng.normal(size=ROWS), "t": rng.permutation(ROWS), "v": rng.random(ROWS)}
    columns["k"] = np.array(["a", "b", "c"])[rng.integers(0, 3, ROWS)]
    pq.write_table(pa.table(columns), path, row_group_size=16_000)
    return str(path)


def build(source: str, root: Path, spec: OrderSpec) -> Path:
    stores = StoreDirectory(root, 1 << 32, tell=lambda sentence: None)
    columns = ["v", "k"] if spec.kind == "order" else []
    path = stores.build(open_dataset(source), spec, columns, Crew(2))
    stores.close()
    return path


def sums(folder: Path) -> dict[str, str]:
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir() if each.name != NAME}


def child(source: str, root: Path, spec: OrderSpec, prepare: Callable[[], Any]) -> int:
    """A process that builds."""
    number = os.fork()
    if number == 0:
        prepare()
        build(source, root, spec)
        os._exit(0)
    return number


def was_killed(number: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == -signal.SIGKILL


def killed_after(source: str, root: Path, spec: OrderSpec, seconds: float) -> bool:
    """Whether a build was killed after so long, or was faster."""
    number = child(source, root, spec, lambda: None)
    time.sleep(seconds)
    os.kill(number, signal.SIGKILL)
    return was_killed(number)


def killed_at(source: str, root: Path, spec: OrderSpec, call: int, after: bool) -> bool:
    """Whether a build was killed at its call of that number that changes the disk, or had fewer."""
    return was_killed(child(source, root, spec, lambda: counted(call, after)))


def calls_of(source: str, root: Path, spec: OrderSpec) -> int:
    """How many calls that change the disk an undisturbed build makes, to the next power of two."""
    calls = 1
    while killed_at(source, root / str(calls), spec, calls, False):
        calls *= 2
    return calls


def main() -> None:
    home, kind, rounds, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    shrink()
    chance = random.Random(seed)
    source = table(home / "table.parquet", seed)
    spec = OrderSpec("t" if kind == "series" else "x", "y", kind=kind)  # type: ignore[arg-type]
    build(source, home / "compiled", spec)  # kernels are there when children begin
    began = time.monotonic()
    expected = sums(build(source, home / "undisturbed", spec))
    whole = time.monotonic() - began
    calls, kills = calls_of(source, home / "counted", spec), 0
    for number in range(rounds):
        root = home / f"round-{number}"
        for _ in range(chance.randint(1, 3)):
            if chance.random() < 0.3:
                kills += killed_after(source, root, spec, chance.random() * whole)
            else:
                kills += killed_at(source, root, spec, chance.randrange(calls), chance.random() < 0.5)
            for entry in StoreDirectory(root).entries():
                assert entry.state in ("ready", "unfinished"), entry
        path = build(source, root, spec)
        assert sums(path) == expected and read_manifest(path) is not None
        assert sorted(each.name for each in root.iterdir()) == [path.name, path.name + ".lock"]
        shutil.rmtree(root)
    print("killed", kills, "calls", calls, "seconds", round(whole, 2))


if __name__ == "__main__":
    main()
