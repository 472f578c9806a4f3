"""The values that colours of a level are chosen by, where its axes are at different levels: what asking for them costs,
and how far they are from those of all its cells."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench import data
from bench.places import LARGE
from bench.report import Figure, words
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.picture_cells import picture_cells
from bigviz.data.open import open as open_source
from bigviz.render.level_values import Level, LevelValues
from bigviz.render.shade import Shading, level_norm, values_of
from bigviz.tiles.answers.level_sample import level_sample
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.pyramid.accumulators import finished

__all__ = ["run"]

Array = npt.NDArray[Any]

_TABLES: Final[Mapping[data.Table, tuple[str, ...]]] = {
    "points": ("count", "mean(value)", "max(value)", "by(kind)"),
    "attractor": ("count", "mean(y)"),
    "cities": ("count", "mean(y)"),
}
_LEVELS: Final[tuple[Level, ...]] = (
    (2, 1), (4, 2), (4, 3), (2, 5), (5, 4), (0, 7), (7, 5), (4, 8), (8, 7), (9, 6), (10, 12),
)  # fmt: skip
_COMPARED: Final = 10**7  # rows, at most: all cells are sorted for it
_AT_ONCE: Final = 1 << 20  # rows


def run(rows: int) -> Iterator[Figure]:
    """Each level is asked for once, as the first picture of it does, beside the sample that an index has until its
    tiles are built."""
    if rows > LARGE:
        return
    for table, reductions in _TABLES.items():
        dataset = open_source(data.arrow(table, rows))
        for agg in reductions:
            engine, layer = Engine(threads=data.THREADS), Layer("points", "x", "y", agg)
            engine.ensure(dataset, layer)
            with engine.answering(dataset, layer) as built:
                assert isinstance(built, PointsLayer)
                yield from _of_layer(built, f"{words(rows)} {table}, {agg}", rows <= _COMPARED)


def _of_layer(built: PointsLayer, what: str, compared: bool) -> Iterator[Figure]:
    inputs, guard = built.pyramid.inputs, built.order.guard

    def summed(level: Level) -> LevelValues | None:
        return built.level_values(level).values

    def sampled(level: Level) -> LevelValues | None:
        return level_sample(guard, inputs, level)

    def square(level: Level) -> LevelValues | None:
        return level_sample(guard, inputs, (max(level), max(level)))

    asked = {"values of a long level": summed, "sample of a long level": sampled, "sample of a square level": square}
    for name, ask in asked.items():
        ask(_LEVELS[0])  # kernels are compiled
        spent, coloured, errors = [], [], []
        for level in _LEVELS:
            begun = time.thread_time()
            found = ask(level)
            spent.append((time.thread_time() - begun) * 1e3)
            if found is None:
                continue
            begun = time.thread_time()
            level_norm(found, picture_cells(inputs.reduction), Shading("fire", "eq_hist", None, None))
            coloured.append((time.thread_time() - begun) * 1e3)
            if compared and ask is not square:
                errors.append(_error(found, _all_values(built, level)))
        counts = f"and {np.median(coloured):.2f} ms for the colours of eq_hist"
        if errors:
            counts += f"; ranks differ by {np.median(errors):.1%} of the cells, at most {max(errors):.1%}"
        yield Figure(f"{name}, {what}", "ms", spent, "median", 1.0, counts=counts)


def _error(found: LevelValues, values: Array) -> float:
    """The farthest that the share of cells up to some value is from that among all cells."""
    order = np.argsort(found.values)
    known = found.values[order].astype(np.float64)
    share = np.append(0, found.weights[order].cumsum()) / found.weights.sum()
    held = np.sort(values)
    places = np.unique(np.append(known, held[:: max(len(held) // 20_000, 1)]))
    wanted = np.searchsorted(held, places, "right") / len(held)
    return float(np.abs(share[np.searchsorted(known, places, "right")] - wanted).max())


def _all_values(built: PointsLayer, level: Level) -> Array:
    """The values of all filled cells of a level."""
    inputs, guard = built.pyramid.inputs, built.order.guard
    square, cut = (2 * (DEEPEST - each) for each in (min(level), max(level)))
    along = (0x5555555555555555 if level[0] > level[1] else 0xAAAAAAAAAAAAAAAA) & (1 << square) - (1 << cut)
    kept = np.uint64(along | (1 << 64) - (1 << square))
    low, found = 0, [np.empty(0)]
    while low < len(guard):
        high = guard.run_end(min(low + _AT_ONCE, len(guard)) - 1, len(guard), square)
        names, cells = np.unique(guard.keys.take(slice(low, high)) & kept, return_inverse=True)
        planes = inputs.reduction.create((1, len(names)), inputs.dtype, len(inputs.labels or ()))
        for at in range(low, high, _AT_ONCE):
            rows = slice(at, min(at + _AT_ONCE, high))
            inputs.append(planes, cells[at - low : rows.stop - low].astype(np.int32), rows)
        values = values_of(finished(inputs.reduction, planes, inputs.own), picture_cells(inputs.reduction))
        found.append(values.numbers[values.filled].astype(np.float64))
        low = high
    return np.concatenate(found)
