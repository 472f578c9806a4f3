"""Rows in a lasso of 200 points, with exact statistics of stored columns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import numpy as np

import bigviz as bv
from bench import data, stores
from bench.report import Figure, words
from bigviz.aggregate.layer import Layer
from bigviz.tiles.engine import Engine
from bigviz.tiles.selection.region import Lasso
from bigviz.tiles.store.catalog.directory import StoreDirectory

POINTS: Final = 200
SHARES: Final = (0.01, 0.1, 0.5)  # of the range's width and height
BOUND: Final = 300.0  # ms at 10^8 rows
REPEATS: Final = 5
WANTED: Final = (
    ((), None, "rows"),
    (("value", "x"), None, "rows and statistics of 2 stored columns"),
    (("value",), "kind", "rows and statistics of a stored column, of all and by 8 categories"),
)
LAYER: Final = Layer("points", "x", "y", "mean(value)")


def run(rows: int) -> Iterator[Figure]:
    """Wobbly rings of 200 points about the middle of the data; count, mean, extremes and quartiles of x and `value`."""
    path = data.arrow("points", rows)
    store = stores.of(path, stores.COLUMNS, agg=LAYER.agg if isinstance(LAYER.agg, str) else "count")
    dataset = bv.open(str(path), name="table")
    engine = Engine(stores=StoreDirectory(store) if store else None, index="existing")
    engine.ensure(dataset, LAYER)
    xs, ys = data.sample_rows(path, 20_000)
    for share in SHARES:
        lasso = ring(xs, ys, share)
        found = engine.select(dataset, LAYER, lasso, ("value", "x"))
        inside = float(lasso.holds(xs, ys).mean())
        if abs(found.count / rows - inside) > 0.02:
            raise AssertionError(
                f"{found.count / rows:.3f} of all rows were selected, {inside:.3f} of a sample lie there"
            )
        for stats, by, what in WANTED:
            samples = []
            engine.select(dataset, LAYER, lasso, stats, by)  # what is compiled on first use
            for _ in range(REPEATS):
                began = time.perf_counter()
                engine.select(dataset, LAYER, lasso, stats, by)
                samples.append(1e3 * (time.perf_counter() - began))
            name = f"lasso of {POINTS} points over {100 * found.count / rows:.0f} % of {words(rows)} rows: {what}"
            yield Figure(name, "ms", samples, "p50", BOUND if rows <= 10**8 else None)


def ring(xs: np.ndarray, ys: np.ndarray, share: float) -> Lasso:
    """A ring with bays around the median of points, so wide and high a share of their range."""
    turn = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    radius = share / 2 * (1 + 0.2 * np.sin(9 * turn))
    x = np.median(xs) + np.ptp(xs) * radius * np.cos(turn)
    y = np.median(ys) + np.ptp(ys) * radius * np.sin(turn)
    return Lasso.of(list(zip(x.tolist(), y.tolist(), strict=True)))
