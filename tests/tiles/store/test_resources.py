"""What a build takes: disks that fill, and memory."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

PROGRAM = str(Path(__file__).with_name("building.py"))
BATCH = 1 << 20
IN_A_SMALL_FILE_SYSTEM = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"'


def table(path: Path, rows: int, ordered: bool = False) -> Path:
    """Normally distributed float32, whose edges are derived from the keys but for a few; x never falls if `ordered`."""
    rng = np.random.default_rng(0)
    schema = pa.schema([("x", pa.float32()), ("y", pa.float32())])
    with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, schema) as writer:
        for start in range(0, rows, BATCH):
            count = min(BATCH, rows - start)
            x, y = (rng.standard_normal(count, np.float32) for _ in schema)
            columns = [pa.array(np.sort(np.abs(x)) + np.float32(start) if ordered else x), pa.array(y)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    return path


def built(*words: object, before: tuple[str, ...] = ()) -> dict[str, Any]:
    """A build in a process of its own, and what it prints."""
    command = [*before, sys.executable, PROGRAM, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(("kind", "most"), [("order", 1_000), ("order", 2_000_000), ("series", 900_000)])
def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path, kind: str, most: int):
    source, root = table(tmp_path / "t.arrow", 300_000), tmp_path / "stores"
    done = built(source, root, most, kind)
    assert done["said"].startswith("TooLarge: The disk of") and "--store-dir" in done["said"] and done["left"] == []


@pytest.mark.big
@pytest.mark.parametrize("size", ["1m", "3m", "5m", "7m", "8m"])
def test_a_small_file_system_that_fills(tmp_path: Path, size: str):
    """Needs the right to mount, as root or in a namespace of its own."""
    source, root = table(tmp_path / "t.arrow", 600_000), tmp_path / "stores"
    root.mkdir()
    before = ("unshare", "--map-root-user", "--mount", "sh", "-c", IN_A_SMALL_FILE_SYSTEM, "sh", size, str(root))
    done = built(source, root, 0, before=before)
    assert done["said"].startswith("TooLarge") and done["left"] == [], done


@pytest.mark.big
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path):
    taken = []
    for rows in (50_000_000, 300_000_000):
        source, root = table(tmp_path / "t.arrow", rows), tmp_path / "stores"
        done = built(source, root, 0)
        assert Path(done["said"]).is_dir()
        taken.append(done["memory"])
        shutil.rmtree(root)
        source.unlink()
    assert taken[1] < 2 << 30 and taken[1] < 1.3 * taken[0], taken


@pytest.mark.big
@pytest.mark.timeout(600)
@pytest.mark.parametrize("ordered", [True, False])
def test_memory_of_a_series_does_not_grow_with_the_rows(tmp_path: Path, ordered: bool):
    taken = []
    for rows in (30_000_000, 90_000_000):
        source, root = table(tmp_path / "t.arrow", rows, ordered), tmp_path / "stores"
        done = built(source, root, 0, "series")
        assert Path(done["said"]).is_dir()
        taken.append(done["memory"])
        shutil.rmtree(root)
        source.unlink()
    assert taken[1] < 1 << 30 and taken[1] < 1.3 * taken[0] + (32 << 20), taken
