"""A table on the disk, a small writer of stores, and a directory for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory

ROWS = 1_000


class Small:
    """Writes two files in steps, like a builder of orders; counts how often it was called and where it began."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun_at: list[int] = []
        self.between: Callable[[int], None] = lambda step: None

    def __call__(
        self, path: Path, dataset: Dataset, spec: OrderSpec, columns: Sequence[str], crew: Crew
    ) -> Mapping[str, Any]:
        self.calls += 1
        names = ["keys.arrow", "rows.arrow", *(f"column-{k}.arrow" for k in range(len(columns)))]
        done = sum((path / name).exists() for name in names)
        self.begun_at.append(done)
        for step in range(done, len(names)):
            crew.cancel.check()
            crew.progress("ordering rows", step / len(names), step)
            self.between(step)
            (path / names[step]).write_bytes(names[step].encode() * 100)
        return {"rows": dataset.num_rows, "columns": list(columns)}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "trips.parquet"
    pq.write_table(pa.table({"x": rng.random(ROWS), "y": rng.random(ROWS), "fare": rng.random(ROWS)}), path)
    return path


@pytest.fixture
def source(table: Path) -> Dataset:
    return open_dataset(table)


@pytest.fixture
def spec() -> OrderSpec:
    return OrderSpec("x", "y")


@pytest.fixture
def small() -> Small:
    return Small()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def directories(tmp_path: Path, small: Small, said: list[str]) -> Iterator[Callable[..., StoreDirectory]]:
    """`directories(limit=None)`: directories of stores at one place, as several processes have them."""
    made = []

    def directory(limit: int | None = 1 << 30) -> StoreDirectory:
        made.append(StoreDirectory(tmp_path / "stores", limit, {"order": small}, said.append))
        return made[-1]

    yield directory
    for each in made:
        each.close()


@pytest.fixture
def stores(directories: Callable[..., StoreDirectory]) -> StoreDirectory:
    return directories()
