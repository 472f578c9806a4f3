"""Series on the disk: what is read back, that it draws the same as the series in memory, and that damage is found."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled, Unreadable
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import Survey, survey
from bigviz.tiles.series.m4 import column_bounds, pick_rows
from bigviz.tiles.series.series import Series, build_series
from bigviz.tiles.store.files.column_file import ColumnFile
from bigviz.tiles.store.files.paged_file import Pages
from bigviz.tiles.store.series import build, external_sort, gaps
from bigviz.tiles.store.series.build import write_series
from bigviz.tiles.store.series.stored_series import open_series

from ....examples import examples

CREW = Crew(2)
START = 1_700_000_000_000_000_000


def stored(
    folder: Path, table: Dataset, xaxis: str = "linear", yaxis: str = "linear", root: str = "default"
) -> tuple[Series, Survey]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    facts = write_series(folder, table, OrderSpec("x", "y", xaxis, yaxis, root, "series"), (), CREW)
    return open_series(folder, json.loads(json.dumps(facts)))


def in_memory(table: Dataset, xaxis: str = "linear", yaxis: str = "linear", far: bool = True) -> tuple[Series, Survey]:
    x, y = Axis(table.column("x"), space(xaxis, "x")), Axis(table.column("y"), space(yaxis, "y"))
    return build_series(x, y, CREW), survey(x, y, far, CREW)


def same(ours: Series, expected: Series, rng: np.random.Generator) -> None:
    """All numbers are equal, and so are the rows that are picked of any window."""
    size = len(expected)
    assert len(ours) == size and ours.sorted == expected.sorted
    everywhere = np.arange(size)
    assert (ours.x.at(everywhere) == expected.x.at(everywhere)).all() and ours.x.dtype == expected.x.dtype
    assert (ours.numbers(everywhere) == expected.numbers(everywhere)).all()
    assert ours.gaps.slice(0, len(ours.gaps)).tolist() == expected.gaps.slice(0, len(expected.gaps)).tolist()
    for start, stop in ((0, size), (size // 3, size // 2)):
        (values, known), (others, wanted) = ours.heights(start, stop), expected.heights(start, stop)
        keep = slice(None) if wanted is None else wanted
        assert known is wanted or (known == wanted).all()
        assert np.array_equal(values[keep].astype(float), others[keep].astype(float), equal_nan=True)
    if not size:
        return
    low, high = (expected.x.at(np.array([k]))[0].item() for k in (0, size - 1))
    span = (high - low) or 1
    for _ in range(12):
        a = low + type(span)(span * rng.uniform(-0.1, 1))
        b = a + max(type(span)(span * rng.uniform(0, 1) ** 4), 1 if isinstance(span, int) else 1e-300)
        width = int(rng.choice([1, 7, 300]))
        if not a < b or not np.isfinite(width / (b - a)):
            continue
        bounds = column_bounds(ours.x, a, b, width)
        assert (bounds == column_bounds(expected.x, a, b, width)).all()
        found, picks = pick_rows(ours, bounds), pick_rows(expected, bounds)
        for name in ("columns", "runs", "positions", "x", "y", "flagged"):
            assert getattr(found, name).tolist() == getattr(picks, name).tolist(), name


def xs(kind: str, size: int, ordered: bool, missing: float, rng: np.random.Generator) -> Any:
    steps = rng.choice([0, 0, 1, 2, 30], size).cumsum()
    if kind == "regular":
        values: np.ndarray = np.arange(size) * 3 + 5
    elif kind == "rate":
        values = np.arange(size) / 1000.0 + 12.5
    elif kind == "broken":  # a rule that holds almost to the end
        values = np.arange(size) + (np.arange(size) > size * 0.9)
    elif kind == "stamp":
        values = START + steps * 1_000_000_007
    elif kind == "u8":
        values = steps.astype(np.uint64) + np.uint64(2**63)
    else:
        values = (steps * 0.1).astype(kind)
    if not ordered:
        values = rng.permutation(values)
    gone = rng.random(size) < missing
    if values.dtype.kind == "f":
        return np.where(gone, rng.choice([np.nan, np.inf], size), values).astype(values.dtype)
    return pa.array(values, pa.timestamp("ns") if kind == "stamp" else None, mask=gone)


def ys(kind: str, size: int, missing: float, rng: np.random.Generator) -> Any:
    values = np.round(rng.normal(size=size).cumsum(), 1)
    gone = rng.random(size) < missing
    if kind in ("i1", "i2", "u8"):
        return pa.array(np.clip(values * 3, 0 if kind == "u8" else -120, 120).astype(kind), mask=gone)
    return np.where(gone, rng.choice([np.nan, -np.inf], size), values).astype(kind)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("series") / "store"


@pytest.fixture(autouse=True)
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several runs, buckets and spills of gaps in a table of a few thousand rows."""
    monkeypatch.setattr(build, "_RUN", 4096)
    monkeypatch.setattr(build, "_SYNC", 8192)
    monkeypatch.setattr(gaps, "_HELD", 700)
    monkeypatch.setattr(gaps, "_RUN", 512)
    monkeypatch.setattr(external_sort, "_BUCKET", 1000)
    monkeypatch.setattr(external_sort, "_HELD", 3000)


@settings(max_examples=examples(40, fuzzed=100), deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0, 1, 255, 4096, 13_000]),
    st.sampled_from(["regular", "rate", "broken", "stamp", "u8", "f4", "f8"]),
    st.sampled_from(["f4", "f8", "i1", "i2", "u8"]),
    st.booleans(),
    st.sampled_from([0.0, 0.0, 0.01, 1.0]),
    st.sampled_from([0.0, 0.001, 0.5, 1.0]),
)
def test_a_series_on_the_disk_is_that_in_memory(
    folder: Path,
    dataset: Callable[..., Dataset],
    seed: int,
    size: int,
    x: str,
    y: str,
    ordered: bool,
    no_x: float,
    no_y: float,
) -> None:
    rng = np.random.default_rng(seed)
    table = dataset(x=xs(x, size, ordered, no_x, rng), y=ys(y, size, no_y, rng))
    ours, found = stored(folder, table)
    expected, wanted = in_memory(table)
    assert found == wanted
    same(ours, expected, rng)


@pytest.mark.parametrize(("xaxis", "yaxis"), [("log", "log"), ("mercator", "mercator"), ("linear", "log")])
def test_axis_spaces(folder: Path, dataset: Callable[..., Dataset], xaxis: str, yaxis: str) -> None:
    rng = np.random.default_rng(3)
    table = dataset(x=np.sort(rng.uniform(-170, 170, 9000)), y=rng.normal(size=9000).cumsum())
    ours, found = stored(folder, table, xaxis, yaxis)
    expected, wanted = in_memory(table, xaxis, yaxis)
    assert found == wanted
    same(ours, expected, rng)


def test_far_rows_are_found_as_in_memory(folder: Path, dataset: Callable[..., Dataset]) -> None:
    heights = np.sin(np.arange(20_000.0))
    heights[[5, 19_000]] = 9.9e36, np.nan
    table = dataset(x=np.arange(20_000), y=heights)
    for root in ("default", "full"):
        ours, found = stored(folder, table, root=root)
        assert found == in_memory(table, far=root == "default")[1] and (found.far == 1) == (root == "default")
        assert len(ours) == 20_000


@pytest.mark.parametrize("ordered", [True, False])
def test_tables_of_many_pieces_are_read_in_order(folder: Path, tmp_path: Path, ordered: bool) -> None:
    rng = np.random.default_rng(4)
    x, y = np.linspace(0, 7, 30_000), rng.normal(size=30_000).astype(np.float32)
    if not ordered:
        x = x[::-1].copy()
    with ipc.new_file(tmp_path / "t.arrow", pa.schema([("x", pa.float64()), ("y", pa.float32())])) as writer:
        for start, stop in ((0, 0), *((k, k + 1700) for k in range(0, 30_000, 1700)), (0, 0)):
            writer.write_batch(pa.record_batch([x[start:stop], y[start:stop]], names=["x", "y"]))
    table = open_source(tmp_path / "t.arrow")
    ours, _ = stored(folder, table)
    assert ours.x.rule is not None and not (folder / "x.arrow").exists() and ours.sorted == ordered
    same(ours, in_memory(table)[0], rng)


def test_a_frequent_number_is_a_bucket_of_its_own(folder: Path, dataset: Callable[..., Dataset]) -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=20_000)
    values[rng.random(20_000) < 0.6] = 0.25
    table = dataset(x=values, y=np.arange(20_000))
    ours, _ = stored(folder, table)
    same(ours, in_memory(table)[0], rng)
    assert not list(folder.glob("bucket-*"))


def test_columns_are_arrow_files(folder: Path, dataset: Callable[..., Dataset]) -> None:
    values = np.sort(np.random.default_rng(6).normal(size=5000))
    stored(folder, dataset(x=values, y=pa.array(np.arange(5000), pa.int16())))
    read = {path.stem: ipc.open_file(path).read_all().column(0) for path in folder.glob("*.arrow")}
    assert read["x"].to_pylist() == values.tolist() and read["y"].type == pa.int16()


def flip(path: Path, at: int) -> None:
    """Change a bit in place: a mapped file must not be shortened."""
    with open(path, "r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 4]))


def facts_of(folder: Path, table: Dataset) -> Mapping[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return write_series(folder, table, OrderSpec("x", "y", kind="series"), (), CREW)


def test_a_flipped_byte_is_found_before_it_is_drawn(folder: Path, dataset: Callable[..., Dataset]) -> None:
    rng = np.random.default_rng(7)
    heights = np.where(rng.random(20_000) < 0.3, np.nan, rng.normal(size=20_000))
    table = dataset(x=rng.permutation(np.sort(rng.normal(size=20_000))), y=heights)
    facts = facts_of(folder, table)
    names = sorted(path.name for path in folder.glob("*.arrow"))
    assert len(names) == 13
    for name in names:
        path = folder / name
        middle = path.stat().st_size // 2
        flip(path, middle)
        with pytest.raises(Unreadable, match="damaged"):
            series, _ = open_series(folder, facts)
            for _ in range(2):  # again, when it was found already
                pick_rows(series, column_bounds(series.x, -9.0, 9.0, 20_000))
                series.numbers(np.arange(len(series)))
        flip(path, middle)
    series, _ = open_series(folder, facts)
    assert len(pick_rows(series, column_bounds(series.x, -9.0, 9.0, 3000)).positions) > 3000


def test_pages_are_verified_ahead(folder: Path, dataset: Callable[..., Dataset]) -> None:
    facts = facts_of(folder, dataset(x=np.arange(9000), y=np.arange(9000.0)))
    pages = open_series(folder, facts)[0].check_y
    assert pages is not None
    pages.read_ahead().join()
    assert pages.whole and pages.seen.all()
    flip(folder / "y.arrow", 40_000)
    pages = open_series(folder, facts)[0].check_y
    pages.read_ahead().join()
    assert not pages.whole
    with pytest.raises(Unreadable):
        pages(np.array([0]), np.array([9000]))


def test_a_disk_that_fails_meanwhile_is_told_of(
    folder: Path, dataset: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: ColumnFile) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(build, "_SYNC", 1)
    monkeypatch.setattr(ColumnFile, "sync", failing)
    with pytest.raises(OSError, match="Input/output"):
        facts_of(folder, dataset(x=np.arange(9000), y=np.arange(9000.0)))


def test_pages_are_verified_behind_requests(
    folder: Path, dataset: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = open_series(folder, facts_of(folder, dataset(x=np.arange(9000), y=np.arange(9000.0))))[0].check_y
    assert pages is not None
    found: list[int] = []
    monkeypatch.setattr(Pages, "__call__", lambda *_: found.append(os.getpriority(os.PRIO_PROCESS, 0)))
    pages.read_ahead().join()
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert found and set(found) == {max(10, usual) if sys.platform == "linux" else usual}


@pytest.mark.parametrize("change", [{"size": 8999}, {"rule": None}, {"sums": {}}, {"survey": {}}])
def test_facts_that_do_not_fit_are_refused(
    folder: Path, dataset: Callable[..., Dataset], change: dict[str, Any]
) -> None:
    facts = facts_of(folder, dataset(x=np.arange(9000), y=np.arange(9000.0)))
    with pytest.raises(Unreadable):
        open_series(folder, {**facts, **change})


@pytest.mark.parametrize("ordered", [True, False])
def test_what_was_interrupted_is_begun_anew(folder: Path, dataset: Callable[..., Dataset], ordered: bool) -> None:
    rng = np.random.default_rng(8)
    table = dataset(x=xs("f8", 20_000, ordered, 0.0, rng), y=ys("f4", 20_000, 0.4, rng))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for calls in range(1, 400, 9):
        cancel = Cancel()
        left = calls

        def tell(stage: str, done: float, rows: int, cancel: Cancel = cancel) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                cancel.cancel()

        try:
            facts = write_series(folder, table, OrderSpec("x", "y", kind="series"), (), Crew(2, tell, cancel))
            break
        except Cancelled:
            continue
    assert calls > 1
    same(open_series(folder, facts)[0], in_memory(table)[0], rng)


def test_errors_of_the_disk_come_through(
    folder: Path, dataset: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build.PagedColumn, "put", full)
    with pytest.raises(OSError, match="No space left"):
        facts_of(folder, dataset(x=np.arange(50_000), y=np.arange(50_000.0)))
