"""Settings for all rooms; small tables, axes and brute force."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.spaces import space
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.tiles.grid.tile_key import TileKey

HERE = Path(__file__).parent

# An example's time says nothing here: the first one pays for compilation, and other tests run at the same time.
# `make test` tries the same examples wherever and whenever it runs; `make fuzz` looks for others.
settings.register_profile("bigviz", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile("fuzz", deadline=None, derandomize=False, database=None, print_blob=True)
settings.load_profile("bigviz")

# Bytecode is kept, which images of containers often forbid: hundreds of tests start a Python of their own, which takes
# 0.7 s longer to compile the package once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell that starts the tests behind itself lets them ignore Ctrl-C, and so the commands that some of them interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Half a million objects of modules and tests stay to the end: looked at again and again, they take a tenth of the time.
gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Of several processes each begins elsewhere to import the tests: in a fresh clone assertions have to be rewritten
    and modules to be compiled, for some 20 s, of which each then does a part and finds those of the others."""
    worker: dict[str, Any] | None = getattr(session.config, "workerinput", None)
    if worker is not None and [Path(each).resolve() for each in session.config.args] == [HERE]:
        tops = [_top(path) for path in sorted(HERE.rglob("test_*.py"))]
        own = len(tops) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        session.config.args = [str(HERE / top) for top in dict.fromkeys(tops[own:] + tops)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order of their tests is the same."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _top(item.path))


def _top(path: Path) -> str:
    return path.relative_to(HERE).parts[0]


def pytest_collection_finish() -> None:
    """What is there now is no garbage."""
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def _dataset(**columns: Any) -> Dataset:
    return open_source(pa.table(columns))


def _axis(values: Any, kind: str = "linear", side: str = "x") -> Axis:
    return Axis(_dataset(v=values).column("v"), space(kind, side))


def _cell(root: Root, value: Any, level: int) -> int:
    """The rule of docs/reference.md, "Cells": floor(v / 2^e) minus the root's first cell, in exact arithmetic."""
    width = Fraction(2) ** (root.exponent - level)
    return int(Fraction(value) / width // 1) - int(root.start / width // 1)


def _counts(roots: tuple[Root, Root], x: list[Any], y: list[Any], tile: TileKey) -> np.ndarray:
    """A tile's counts, row by row, from exact fractions."""
    plane = np.zeros((256, 256), np.int64)
    for a, b in zip(x, y, strict=True):
        column = _cell(roots[0], a, tile.zx + 8) - tile.i * 256
        row = _cell(roots[1], b, tile.zy + 8) - ((1 << tile.zy) - 1 - tile.j) * 256
        if 0 <= column < 256 and 0 <= row < 256:
            plane[255 - row, column] += 1
    return plane


@pytest.fixture(scope="session")
def dataset() -> Callable[..., Dataset]:
    """A dataset of named columns."""
    return _dataset


@pytest.fixture(scope="session")
def axis() -> Callable[..., Axis]:
    """An axis over values: `axis(values, kind="linear", side="x")`."""
    return _axis


@pytest.fixture(scope="session")
def brute_counts() -> Callable[..., np.ndarray]:
    """`brute_counts((root_x, root_y), xs, ys, tile)`: the counts of a tile in exact arithmetic."""
    return _counts
