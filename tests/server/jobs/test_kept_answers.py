"""Answers that are kept for all viewers: bounded, and the same as those that were computed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER
from bigviz.data.dataset import Dataset
from bigviz.server.jobs.encoded import Prepared, tile_message
from bigviz.server.jobs.kept_answers import KeptAnswers
from bigviz.server.jobs.view_jobs import ViewJobs
from bigviz.server.jobs.wanted import ColumnsWant, TileWant, Wanted, WindowWant
from bigviz.tiles.engine import Engine
from bigviz.tiles.interface import Cost, TileKey
from bigviz.wire.frames import Part, Type, frames, parse, read_json

POINTS, LINE = Layer("points", "x", "y", "mean(y)"), Layer("line", "x", "y", "any")
WINDOW = WindowWant((2.0, 3.0, -1.0, 9.0), 640, 480)


@pytest.fixture(scope="module")
def table() -> Dataset:
    return made(np.sin)


def made(wave: np.ufunc) -> Dataset:
    x = np.arange(4_000) / 500
    return bv.open(pa.table({"x": x, "y": wave(x) * 7}))


def answered(jobs: ViewJobs, table: Dataset, layer: Layer, want: Wanted) -> tuple[Prepared, Prepared]:
    """The answer that a job computes, and the one that is kept of it."""
    key, call = jobs.exact(table, layer, want)
    assert jobs.kept.get(key) is None
    fresh, kept = call(NEVER), jobs.kept.get(key)
    assert fresh is not None and kept is not None and kept.error is None and kept.waited == 0.0
    again = jobs.kept.get(key)
    assert again is not None and again.value is kept.value  # rewritten once
    return fresh, kept.value


def test_a_kept_tile_has_the_bytes_of_one_that_the_engine_has_at_hand(table: Dataset) -> None:
    engine = Engine(threads=1)
    fresh, kept = answered(ViewJobs(engine), table, POINTS, TileWant((1, 1, 0, 1)))
    assert fresh.cost != kept.cost and fresh.parts != kept.parts
    again = engine.tile(table, POINTS, TileKey(1, 1, 0, 1))
    assert kept == tile_message(again)


@pytest.mark.parametrize(("layer", "want"), [(POINTS, WINDOW), (LINE, ColumnsWant(1.0, 2.5, 300))])
def test_kept_rows_and_columns_differ_from_computed_ones_in_what_they_cost(
    table: Dataset, layer: Layer, want: Wanted
) -> None:
    fresh, kept = answered(ViewJobs(Engine(threads=1)), table, layer, want)
    assert [part.body for part in fresh.parts] == [part.body for part in kept.parts]
    assert kept.cost == Cost(bytes=sum(len(part.body) for part in kept.parts))
    before, after = (told(each) for each in (fresh, kept))
    assert before["rows"] and before == after | asdict(fresh.cost)
    assert after == before | asdict(kept.cost)


def told(answer: Prepared) -> dict[str, Any]:
    """The JSON of an answer of one part."""
    (frame,) = frames(answer.kind, answer.parts, sequence=1, epoch=0)
    value, _ = read_json([parse(frame)])
    assert isinstance(value, dict)
    return value


def test_that_tiles_answer_a_window_is_kept_too(table: Dataset) -> None:
    jobs = ViewJobs(Engine(threads=1))
    key, call = jobs.exact(table, POINTS, WINDOW, has_rows=False)
    assert call(NEVER) is None
    kept = jobs.kept.get(key)
    assert kept is not None and kept.value is None


def test_nothing_that_was_kept_is_true_of_other_data(table: Dataset) -> None:
    jobs, other = ViewJobs(Engine(threads=1)), made(np.cos)
    for want in (TileWant((0, 0, 0, 0)), WINDOW):
        ours, theirs = (answered(jobs, each, POINTS, want) for each in (table, other))
        assert ours[1].parts != theirs[1].parts


def test_what_is_kept_is_bounded() -> None:
    kept = KeptAnswers(limit=50_000)
    for number in range(100):
        kept.put(number, Prepared(Type.TILE, [Part(b"", bytes(4_000))], Cost()), Cost())
        assert kept.nbytes <= 50_000
    assert kept.get(0) is None and kept.get(99) is not None
    roomy = KeptAnswers()
    roomy.put("large", Prepared(Type.IMAGE, [Part(b"{}", bytes(1 << 20))] * 4, Cost()), Cost())
    assert roomy.get("large") is None and roomy.nbytes == 0
