"""Images of windows deeper than the last level, against fractions."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers import window_image
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.engine import Engine
from bigviz.wire.codec import SIDE, decode

MakeDataset = Callable[..., Dataset]
SIZE = 4_000


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


@pytest.fixture(scope="module")
def table(dataset: MakeDataset) -> Dataset:
    """All but two rows within a cell of the deepest level on each axis but n."""
    rng = np.random.default_rng(4)
    x = 0.7 + rng.integers(0, 1 << 20, SIZE) * 2.0**-53
    y = 3.0 + rng.integers(0, 1 << 18, SIZE) * 2.0**-51
    x[:2], y[:2] = [-1e6, 1e6], [-1e6, 1e6]
    return dataset(
        x=x,
        y=y,
        n=10**18 + rng.integers(0, 500, SIZE),
        u=np.uint64(2**63 + 5) + rng.integers(0, 300, SIZE).astype(np.uint64),
        v=rng.integers(-50, 50, SIZE),
        k=pa.array([["b", "a", None][k] for k in rng.integers(0, 3, SIZE)]),
    )


def planes_of(image: WindowImage) -> list[np.ndarray]:
    """Each plane as floats, NaN where nothing is."""
    across = -(-image.width // SIDE)
    out = []
    for plane in range(image.planes_per_block):
        rows = []
        blocks = image.planes[plane :: image.planes_per_block]
        for top in range(0, len(blocks), across):
            row = []
            for block in blocks[top : top + across]:
                assert block.plane == plane
                values, filled = decode(block)
                row.append(np.where(filled, values.astype(float), np.nan))
            rows.append(np.hstack(row))
        whole = np.vstack(rows)
        assert np.isnan(whole[image.height :]).all() and np.isnan(whole[:, image.width :]).all()
        out.append(whole[: image.height, : image.width])
    return out


def place(value: Any, low: Any, high: Any, size: int) -> int:
    share = (Fraction(value) - Fraction(low)) / (Fraction(high) - Fraction(low))
    return math.floor(share * size) if 0 <= share < 1 else -1


@pytest.mark.parametrize(
    ("x", "y", "agg"),
    [("x", "y", "count"), ("x", "y", "by(k)"), ("x", "n", "sum(v)"), ("n", "u", "count"), ("x", "u", "max(v)")],
)
def test_cells_are_those_of_exact_arithmetic(engine: Engine, table: Dataset, x: str, y: str, agg: str) -> None:
    windows = {
        "x": (0.7 + 1000 * 2.0**-53, 0.7 + 900_000 * 2.0**-53),
        "y": (3.0, 3.0 + 2.0**-34),
        "n": (10**18 + 3, 10**18 + 403),
        "u": (2**63 + 5, 2**63 + 261),
    }
    (x0, x1), (y0, y1), width, height = windows[x], windows[y], 300, 256
    image = engine.window_image(table, Layer("points", x, y, agg, root="full"), windows[x], windows[y], (width, height))
    assert image is not None
    found = planes_of(image)
    xs, ys = table.column(x).values, table.column(y).values
    codes = table.column("k")
    cells: list[dict[tuple[int, int], list[int]]] = [{} for _ in found]
    for row in range(SIZE):
        at = height - 1 - place(ys[row].item(), y0, y1, height), place(xs[row].item(), x0, x1, width)
        if at[1] < 0 or at[0] == height:
            continue
        if agg == "by(k)":
            if codes.valid is not None and not codes.valid[row]:
                continue
            cells[codes.values[row]].setdefault(at, []).append(row)
        else:
            cells[0].setdefault(at, []).append(row)
    v = table.column("v").values
    value = {"sum(v)": lambda rows: v[rows].sum(), "max(v)": lambda rows: v[rows].max()}.get(agg, len)
    for plane, held in zip(found, cells, strict=True):
        wanted = np.full((height, width), np.nan)
        for at, rows in held.items():
            wanted[at] = value(rows)
        assert np.array_equal(plane, wanted, equal_nan=True)


def test_too_many_cells_and_slices(engine: Engine, table: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Layer("points", "n", "u")
    built = engine.layers.ready(table, layer)
    windows = (10**18, 10**18 + 500), (2**63, 2**63 + 400)
    assert built.window_image(*windows, (1 << 13, (1 << 11) + 1)) is None  # type: ignore[arg-type]
    whole = built.window_image(*windows, (100, 100))  # type: ignore[arg-type]
    monkeypatch.setattr(window_image, "_PART", 37)
    pieces = built.window_image(*windows, (100, 100))  # type: ignore[arg-type]
    assert whole is not None and pieces is not None
    assert np.array_equal(planes_of(whole)[0], planes_of(pieces)[0], equal_nan=True)
    assert np.nansum(planes_of(whole)[0]) == SIZE
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        built.window_image(*windows, (100, 100), cancel)  # type: ignore[arg-type]
    outside = built.window_image((0, 10), (0, 10), (10, 10))  # type: ignore[arg-type]
    assert outside is not None and outside.planes[0].filled == 0
