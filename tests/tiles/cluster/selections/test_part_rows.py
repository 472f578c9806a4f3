"""Selections, tables in the order of a column, and files of rows that workers hold, against one process."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, Cancelled
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.row_lookup import RowOrder
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.workers import Moved
from bigviz.tiles.engine import Engine
from bigviz.tiles.selection import quantiles, ranks
from bigviz.tiles.selection.region import Lasso, Rectangle, Region, Strip
from bigviz.tiles.selection.selection import Selection, read_batches

POINTS = Layer("points", "x", "y", "count")
FILTERED = Layer("points", "x", "y", "by(kind)", filter="v > 50 and kind in ('a', 'z')")
LINE = Layer("line", "t", "y", "any", filter="n > 0")
ALL = Rectangle((-(10**18), 10**18), (-1e300, 1e300))
REGIONS: dict[str, Region] = {
    "box": Rectangle((-0.5, 1.5), (-1.0, 0.25)),
    "lasso": Lasso.of([(-1.0, -1.0), (2.5, -0.5), (0.1, 0.2), (1.0, 2.0)]),
    "range": Strip((0.5, 2e9)),
    "all": ALL,
    "times": Strip((10**17, 7 * 10**17)),
    "nothing": Rectangle((50.0, 51.0), (0.0, 1.0)),
}
STATS = ("x", "y", "v", "f", "t", "huge", "n")


@pytest.fixture(autouse=True)
def _held(engine: DaskEngine, dataset: Dataset) -> None:
    """Other tests may have lost a worker."""
    for layer in (POINTS, FILTERED, LINE):
        engine.ensure(dataset, layer)


def facts(selection: Selection) -> list[Any]:
    """All that is told of a selection, means of floats apart."""
    told = [asdict(each) for each in selection.stats.values()]
    groups = [(each.label, each.count, [asdict(one) for one in each.stats.values()]) for each in selection.groups or ()]
    means = [each.pop("mean") for stats in (told, *(group[2] for group in groups)) for each in stats]
    floats = np.array([math.nan if mean is None else mean for mean in means], np.float64)
    return [selection.count, told, groups, selection.expression, floats]


def same(found: Selection, expected: Selection) -> None:
    *told, means = facts(found)
    *others, floats = facts(expected)
    assert told == others
    np.testing.assert_allclose(means, floats, rtol=1e-13)
    for name in ("v", "t", "huge", "n"):  # of integers they are exact
        assert name not in found.stats or found.stats[name] == expected.stats[name]


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("layer", (POINTS, FILTERED, LINE), ids=str)
def test_selections_equal_those_of_one_process(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset, layer: Layer, name: str
) -> None:
    for by in (None, "kind", "n"):
        found, expected = (
            each.select(data, layer, REGIONS[name], STATS, by) for each, data in ((engine, dataset), (alone, whole))
        )
        same(found, expected)
    rows, others = found.row_set, expected.row_set
    assert rows.count == others.count == found.count
    np.testing.assert_array_equal(found.rows(), expected.rows())
    for first, stop in ((0, 10), (found.count // 2, found.count // 2 + 77), (found.count - 3, found.count + 9)):
        np.testing.assert_array_equal(rows.between(max(first, 0), stop), others.between(max(first, 0), stop))
    for columns, limit in ((None, None), (["kind", "t"], 7), (["v"], 0)):
        table = found.table(columns, limit)
        assert table.schema == expected.schema(columns)
        pd.testing.assert_frame_equal(table.to_pandas(), expected.table(columns, limit).to_pandas())


@pytest.mark.parametrize(("collected", "few"), [(0, 1), (0, 1 << 20)])
def test_quartiles_are_exact_in_as_many_rounds_as_it_takes(
    engine: DaskEngine,
    alone: Engine,
    dataset: Dataset,
    whole: Dataset,
    collected: int,
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = alone.select(whole, POINTS, ALL, ("f", "huge"), "kind")
    monkeypatch.setattr(quantiles, "_MOST_COLLECTED", collected)
    monkeypatch.setattr(ranks, "_FEW", few)
    same(engine.select(dataset, POINTS, ALL, ("f", "huge"), "kind"), expected)


@pytest.mark.parametrize("column", ("x", "v", "f", "kind", "n"))
@pytest.mark.parametrize("descending", (False, True))
def test_first_rows_equal_those_of_one_process(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset, column: str, descending: bool
) -> None:
    for layer, limit, columns in ((POINTS, 40, None), (FILTERED, 5000, ["kind"]), (LINE, 9, None)):
        found, expected = (
            each.first_rows(data, layer, ALL.x, ALL.y, RowOrder(column, descending), limit, columns)
            for each, data in ((engine, dataset), (alone, whole))
        )
        assert found.equals(expected) and found.schema.metadata == expected.schema.metadata


def test_a_download_is_read_as_it_is_taken_and_stops_when_it_is_cancelled(
    engine: DaskEngine, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = engine.select(dataset, POINTS, ALL).row_set
    asked: list[str] = []
    ask = engine.workers.ask

    def heard(parts: Any, question: Any, *more: Any, **named: Any) -> Any:
        asked.append(question["ask"])
        return ask(parts, question, *more, **named)

    monkeypatch.setattr(engine.workers, "ask", heard)
    cancel = Cancel()
    batches = read_batches(dataset, rows, ["v"], None, cancel)
    first = next(batches)
    assert 0 < first.num_rows < rows.count and asked == ["values"]
    cancel.cancel()
    with pytest.raises(Cancelled):
        pa.Table.from_batches(list(batches))


def test_what_cannot_be_is_told_as_one_process_tells_it(engine: DaskEngine, dataset: Dataset) -> None:
    with pytest.raises(BadInput, match="stats are of numbers"):
        engine.select(dataset, POINTS, ALL, ["kind"])
    with pytest.raises(BadInput, match="at most 64 labels"):
        engine.select(dataset, POINTS, ALL, by="v")
    with pytest.raises(BadInput, match="limit is"):
        engine.first_rows(dataset, POINTS, ALL.x, ALL.y, RowOrder("v"), 10**6)
    assert engine.expression(dataset, POINTS, REGIONS["box"], NEVER) is not None


def test_rows_of_a_lost_part_are_not_left_out(
    engine: DaskEngine, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that is held anew has no index: who asks is told to try again, and nothing is answered without it."""
    selection = engine.select(dataset, POINTS, ALL)
    part, held = engine.workers.parts_of(dataset)[0], engine.workers.holder
    with monkeypatch.context() as patch:
        patch.setattr(engine.workers, "holder", lambda each: None if each == part else held(each))
        for ask in (lambda: engine.select(dataset, POINTS, ALL, ["v"]), selection.rows):
            with pytest.raises(Moved):
                ask()
    assert engine.select(dataset, POINTS, ALL).count == selection.count
