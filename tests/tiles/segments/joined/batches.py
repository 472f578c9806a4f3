"""Rows that are appended in the tests of levels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

__all__ = ["batch"]


def batch(rng: np.random.Generator, rows: int, spread: float = 1.0) -> pa.Table:
    """Rows in the plane, on a grid and in a pile, some without a place, a value or a label, one very far off."""
    which = rng.integers(0, 3, rows)
    x, y = (np.where(which == 0, rng.normal(size=rows), np.round(rng.normal(size=rows), 1)) for _ in "xy")
    x[which == 2] = y[which == 2] = 0.75
    x[rng.random(rows) < 0.03] = np.nan
    x[0] = 1e30
    v, kinds = rng.normal(size=rows), rng.choice(["b", "c", "d"] if spread == 1 else ["a", "b", "c"], rows)
    v[rng.random(rows) < 0.1] = np.nan
    v[rng.random(rows) < 0.02] = np.inf
    n = pa.array(rng.integers(-9, 9, rows), mask=rng.random(rows) < 0.1)
    kind = pa.array(kinds, mask=rng.random(rows) < 0.1)
    return pa.table({"x": x * spread, "y": y, "v": v, "n": n, "kind": kind})
