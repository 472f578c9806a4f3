"""Levels whose axes are at different levels, from the square ones: beside the values of all their cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.picture_cells import picture_cells
from bigviz.aggregate.reductions.traits import Traits
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import LevelValues
from bigviz.render.shade import Shading, level_norm
from bigviz.tiles.answers import level_sample
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.pyramid.levels.between import level_between, levels_about, with_ends_of

MakeDataset = Callable[..., Dataset]
ROWS = 60_000
ADDED, KEPT = Traits(("count",), "sum", "sum", additive=True), Traits(("value",), "max", "max", own=True)


def level(*values: float, weights: tuple[int, ...] = (), dtype: type = np.int64) -> LevelValues:
    return LevelValues(np.array(values, dtype), np.array(weights or [1] * len(values), np.int64))


def test_what_levels_it_lies_between() -> None:
    assert [levels_about(each) for each in ((5, 3), (3, 4), (0, 7), (24, 23), (0, 0))] == [
        (4, 4), (3, 4), (3, 4), (23, 24), (0, 0),
    ]  # fmt: skip


def test_one_level_is_itself() -> None:
    one = level(1, 2, 9)
    assert level_between(one, one, ADDED) is one
    nothing = level(dtype=np.float64)
    assert level_between(nothing, level(1), ADDED) is nothing


def test_counts_are_geometric_means() -> None:
    found = level_between(level(100, 400), level(25, 100), ADDED)
    assert found.values.dtype == np.int64 and (found.values.min(), found.values.max()) == (50, 200)
    assert set(found.values[found.weights > 0].tolist()) == {50, 200}
    assert found.weights[found.values == 50].sum() == found.weights[found.values == 200].sum()


def test_a_count_between_two_is_shared_by_both() -> None:
    found = level_between(level(2), level(1), ADDED)
    shares = [found.weights[found.values == each].sum() / found.weights.sum() for each in (1, 2)]
    assert shares == pytest.approx([2 - 2**0.5, 2**0.5 - 1], abs=1e-3)


def test_sums_have_either_sign() -> None:
    sums = Traits(("value", "mask"), "sum", "sum", additive=True)
    coarse, fine = (level(*(k * each for each in (-8.0, -1.0, 0.0, 3.0)), dtype=np.float64) for k in (4, 1))
    found = level_between(coarse, fine, sums)
    assert found.values[[0, -1]].tolist() == [-16, 6] and (np.diff(found.values) >= 0).all()
    assert set(found.values.tolist()) == {-16, -2, 0, 6}


def test_other_values_are_those_of_both_whatever_there_are_of_each() -> None:
    big = 2**62
    found = level_between(level(big, big + 1, weights=(10**9, 10**9)), level(big, big + 2, weights=(3, 0)), KEPT)
    assert found.values.tolist() == [big, big + 1, big, big + 2] and found.weights[3] == 0
    assert found.weights[:2].sum() == pytest.approx(found.weights[2], rel=1e-6)


def test_whole_sums_that_floats_would_round_stay_whole() -> None:
    big = 2**62
    found = level_between(level(big, big + 2), level(big - 1), Traits(("value", "mask"), "sum", "sum", additive=True))
    assert found.values.dtype == np.int64 and sorted(found.values.tolist()) == [big - 1, big, big + 2]


def test_ends_of_all_are_added_to_some() -> None:
    found = with_ends_of(level(3, 4), level(1, 2, 9))
    assert found.values.tolist() == [3, 4, 1, 9] and found.weights.tolist() == [1, 1, 0, 0]
    assert with_ends_of(level(3), level()).values.tolist() == [3]
    assert with_ends_of(level(3), level(4, 90, 1, 20)).values.tolist() == [3, 1, 90], "of two levels"


def tables(dataset: MakeDataset) -> dict[str, Dataset]:
    rng = np.random.default_rng(8)
    found = {}
    t = rng.random(ROWS)
    for name, x, y in (
        ("normal", rng.normal(size=ROWS), rng.normal(size=ROWS)),
        ("uniform", rng.random(ROWS), rng.random(ROWS)),
        ("lines", t, np.sin(3 * t + rng.integers(0, 5, ROWS)) + rng.normal(0, 0.004, ROWS)),
    ):
        v = x * 3 + y + rng.normal(size=ROWS)
        found[name] = dataset(x=x, y=y, v=v, n=np.round(10 * v).astype(np.int64), k=rng.choice(["a", "b"], ROWS))
    return found


def error(found: LevelValues, values: np.ndarray) -> float:
    """The farthest that the share of cells up to a value is from that among all cells."""
    order = np.argsort(found.values)
    known, counted = found.values[order], np.append(0, found.weights[order].cumsum()) / found.weights.sum()
    held = np.sort(values)
    where = np.unique(held)
    mine = counted[np.searchsorted(known, where, "right")]
    return float(np.abs(mine - np.searchsorted(held, where, "right") / len(held)).max())


@pytest.mark.parametrize("agg", ["count", "mean(v)", "max(n)", "sum(v)", "by(k)"])
def test_ranks_are_those_among_all_cells(dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, agg: str) -> None:
    for name in ("_ROWS", "_CELLS"):
        monkeypatch.setattr(level_sample, name, 8 * ROWS)  # all cells
    engine, layer = Engine(threads=2), Layer("points", "x", "y", agg)
    for name, table in tables(dataset).items():
        with engine.answering(table, layer) as built:
            pass
        assert isinstance(built, PointsLayer) and built.pyramid.shelf.levels is not None
        for each in ((1, 0), (1, 2), (3, 1), (3, 4)):
            known = engine.level_values(table, layer, each)
            assert known.source == "summary" and known.values is not None
            some = level_sample.level_sample(built.order.guard, built.pyramid.inputs, each)
            assert some is not None and error(known.values, some.values) < 0.1, (name, each)
            low, high = (float(end(known.values.values)) for end in (np.min, np.max))
            assert low <= np.quantile(some.values, 0.02) and high >= np.quantile(some.values, 0.98)
            norm = level_norm(known.values, picture_cells(layer.reduction), Shading("fire", "eq_hist", None, None))
            assert norm.fraction(some.values).max() > 0.99


def test_long_cells_of_counts_are_looked_at_themselves(dataset: MakeDataset) -> None:
    """How many of them a line crosses cannot be told from square ones; ends are known anyhow."""
    engine, layer = Engine(threads=2), Layer("points", "x", "y", "count")
    table, each = tables(dataset)["lines"], (7, 2)
    with engine.answering(table, layer) as built:
        pass
    assert isinstance(built, PointsLayer) and built.pyramid.shelf.levels is not None
    coarse, fine = (built.pyramid.shelf.levels[z] for z in levels_about(each))
    between = level_between(coarse, fine, layer.reduction.traits)
    some = level_sample.level_sample(built.order.guard, built.pyramid.inputs, each)
    known = engine.level_values(table, layer, each).values
    assert some is not None and known is not None
    assert known.values.tolist() == with_ends_of(some, between).values.tolist()
    known = engine.level_values(table, layer, (5, 0)).values
    assert known is not None and 0 in known.weights, "of few tiles, too"
