"""`bv.Canvas` and fixed-size images by HTTP, beside datashader's Canvas on the same rows in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import datashader as ds
import numpy as np
import pandas as pd
import pyarrow as pa
import xarray as xr

import bigviz as bv
from bench import data
from bench.report import Figure, Rival, words
from bigviz.commands.bench.window import HEIGHT, WIDTH

__all__ = ["run"]

REPEATS: Final = 7
NORMAL: Final = 2 * 10**7  # rows up to which a table of normal points is made, in memory
MOST_ERROR: Final = 1e-12  # of sums and means, of the sum of |v| of a cell
TIMES: Final = {"count": 2.5, "any": None, "mean": 4.0, "max": 4.0, "by": 4.0}
"""How many times as fast as datashader an image of all rows is to be, by its reduction."""


def run(rows: int) -> Iterator[Figure]:
    """Images of all rows and of parts of them, without an index, of a Clifford attractor and of normal points."""
    tables = {"attractor": _attractor(rows)}
    if rows <= NORMAL:
        tables["normal"] = _normal(rows)
    for name, frame in tables.items():
        what = f"Canvas, {name}, {words(rows)} rows"
        for kind in TIMES:
            yield _compared(f"{what}: {kind}", frame, kind, None, TIMES[kind])
        (x0, x1), (y0, y1) = _ends(frame)
        for share in (0.25, 1e-2):
            side = share**0.5 / 2
            windows = tuple(
                ((a + b) / 2 - side * (b - a), (a + b) / 2 + side * (b - a)) for a, b in ((x0, x1), (y0, y1))
            )
            yield _compared(f"{what}: count, {100 * share:g} % of the area", frame, "count", windows, TIMES["count"])


def _attractor(rows: int) -> pd.DataFrame:
    """The benchmark's points, over Arrow's memory."""
    with pa.memory_map(str(data.arrow("points", rows))) as source:
        table = pa.ipc.open_file(source).read_all()
        return pd.DataFrame(
            {name: np.concatenate([np.asarray(c) for c in table[name].chunks]) for name in ("x", "y", "value")}
            | {"kind": table["kind"].unify_dictionaries().combine_chunks().to_pandas()},
            copy=False,
        )


def _normal(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    columns = {name: rng.standard_normal(rows, dtype=np.float32) for name in ("x", "y", "value")}
    kind = pd.Categorical.from_codes(rng.integers(0, 8, rows, dtype=np.int8), [f"kind {k}" for k in range(8)])
    return pd.DataFrame(columns | {"kind": kind}, copy=False)


def _ends(frame: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    return tuple((float(frame[name].min()), float(frame[name].max())) for name in ("x", "y"))  # type: ignore[return-value]


def _compared(what: str, frame: pd.DataFrame, kind: str, window: Any, times: float | None) -> Figure:
    """Both on the same rows, taken by turns; the bound is datashader's median divided by `times`."""
    ends = window or (None, None)
    draws = [_drawn(module, frame, kind, *ends) for module in (bv, ds)]
    _check(frame, kind, *(draw() for draw in draws), *ends)  # what is compiled on first use, too
    samples: list[list[float]] = [[], []]
    for _ in range(REPEATS):
        for draw, taken in zip(draws, samples, strict=True):
            began = time.perf_counter()
            draw()
            taken.append(1e3 * (time.perf_counter() - began))
    bound = None if times is None else float(np.median(samples[1])) / times
    rival = Rival("datashader", samples[1], f"{WIDTH} x {HEIGHT} cells", "exact")
    return Figure(what, "ms", samples[0], "median", bound, f"{WIDTH} x {HEIGHT} cells", "exact", [rival])


def _drawn(module: Any, frame: pd.DataFrame, kind: str, x_range: Any, y_range: Any) -> Callable[[], xr.DataArray]:
    agg = {
        "count": module.count,
        "any": module.any,
        "mean": lambda: module.mean("value"),
        "max": lambda: module.max("value"),
        "by": lambda: module.by("kind", module.count()),
    }[kind]()
    canvas = module.Canvas(WIDTH, HEIGHT, x_range, y_range)
    return lambda: canvas.points(frame, "x", "y", agg)


def _check(frame: pd.DataFrame, kind: str, ours: xr.DataArray, theirs: xr.DataArray, *ends: Any) -> None:
    """Raise AssertionError where the images differ: at all, or for means by more than another order of additions may
    make of them."""
    if kind != "mean":
        if not ours.identical(theirs):
            raise AssertionError(f"{kind} differs in {int((ours.values != theirs.values).sum()):,} cells")
        return
    size = ds.Canvas(WIDTH, HEIGHT, *ends).points(frame.assign(size=frame["value"].abs()), "x", "y", ds.mean("size"))
    error = np.abs(ours.values - theirs.values)
    if not (np.isnan(ours.values) == np.isnan(theirs.values)).all() or (error > MOST_ERROR * size.values).any():
        raise AssertionError(f"means are {np.nanmax(error):.2g} off")
