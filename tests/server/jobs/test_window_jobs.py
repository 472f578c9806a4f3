"""Windows over the websocket: rows, images, or tiles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.wire.codec import EncodedPlane, decode
from bigviz.wire.frames import Type

from ..running import Running, running
from ..wire import Browser, Got

DENSE = 70_000
SIZE = {"width": 640, "height": 480}


@pytest.fixture(scope="module")
def dense() -> pa.Table:
    """70,000 coordinates within 2^-40 of each other, and two rows far from them: deeper than any tile."""
    rng = np.random.default_rng(2)
    x = 0.5 + rng.permutation(1 << 17)[:DENSE] * 2.0**-52
    y = 0.5 + rng.integers(0, 1 << 17, DENSE) * 2.0**-52
    t = 1_700_000_000_000_000_000 + np.arange(DENSE + 2)
    ends = [[-1e6, 1e6]]
    return pa.table(
        {"x": np.append(x, ends), "y": np.append(y, ends), "t": pa.array(t, pa.timestamp("ns")), "n": t % 7}
    )


@pytest.fixture(scope="module")
def deep(dense: pa.Table) -> Iterator[Running]:
    data = bv.open(dense, name="dense")
    points = figure(title="Deep").points(data, "x", "y", root="full")
    times = figure(title="Times").points(data, "t", "n", agg="mean(x)")
    with running([document(points, id="deep"), document(times, id="times")]) as found:
        yield found


def window(x0: Any, x1: Any, y0: Any, y1: Any, **size: int) -> dict[str, Any]:
    return {"x0": x0, "x1": x1, "y0": y0, "y1": y1, **SIZE, **size}


def kinds(got: list[Got]) -> list[Type]:
    return [each.kind for each in got]


def test_few_rows_are_sent_in_place_of_tiles(served: Running, table: pa.Table) -> None:
    x, y = table["x"].to_numpy().astype(float), table["y"].to_numpy()
    with Browser(served.url, "points") as browser:
        browser.layer()
        got = browser.view([[2, 2, i, j] for i in range(4) for j in range(4)], window=window(1.0, 1.25, -0.5, 0.5))
        assert kinds(got) == [Type.ROWS, Type.DONE]
        rows = got[0].value
        wide = rows.info["window"]
        assert wide[0] <= 1.0 and wide[1] >= 1.25 and wide[2] <= -0.5 and wide[3] >= 0.5
        inside = (x >= wide[0]) & (x < wide[1]) & (y >= wide[2]) & (y < wide[3])
        assert rows.info["matched"] == inside.sum() and sorted(rows.row.tolist()) == np.flatnonzero(inside).tolist()
        numbers = rows.row.astype(int)
        assert np.array_equal(rows.x, x[numbers]) and np.array_equal(rows.y, y[numbers])
        assert rows.info["xorigin"] == "0" and rows.code is None
        assert rows.number.tolist() == rows.value.tolist() == [1] * len(numbers)


def test_many_rows_are_sent_as_tiles(served: Running) -> None:
    with Browser(served.url, "points") as browser:
        browser.layer()
        got = browser.view([[1, 1, i, j] for i in (0, 1) for j in (0, 1)], window=window(-10.0, 10.0, -10.0, 10.0))
        assert kinds(got) == [Type.TILE] * 4 + [Type.DONE] and got[-1].value["tiles"] == 4
        assert kinds(browser.view([], window=window(-10.0, 10.0, -10.0, 10.0))) == [Type.DONE]


def test_categories_and_values(served: Running, table: pa.Table) -> None:
    labels = table["label"].to_pylist()
    with Browser(served.url, "by") as browser:
        planes = browser.layer().value["planes"]
        rows = browser.view([[0, 0, 0, 0]], window=window(2.0, 2.1, 1.0, 2.0))[0].value
        assert len(rows.row) > 100
        assert [planes[code] for code in rows.code] == [labels[int(row)] for row in rows.row]
    with Browser(served.url, quote("all of them & <more>")) as browser:
        browser.layer(2)
        got = browser.view([[0, 0, 0, 0]], figure=2, window=window(2.0, 2.1, "0", "3"))
        rows, value = got[0].value, table["value"].to_numpy()
        assert rows.info["dtype"] == 10 and rows.value.tolist() == value[rows.row.astype(int)].tolist()
        y = rows.y.astype(np.int64) + int(rows.info["yorigin"])
        assert np.array_equal(y, table["n"].to_numpy()[rows.row.astype(int)])
        assert all(isinstance(end, str) for end in rows.info["window"][2:])


def test_few_enough_rows_come_all_at_once(deep: Running) -> None:
    with Browser(deep.url, "times") as browser:
        facts = browser.layer().value
        start = int(facts["range"][0])
        got = browser.view([], window=window(str(start), str(start + 40), "0", "7"))
        rows = got[0].value
        low, high = (int(end) for end in rows.info["window"][:2])
        assert (low, high) == (start - 20, start + 60) and rows.info["matched"] == 60
        stamps = rows.x.astype(np.int64) + int(rows.info["xorigin"]) - start
        assert sorted(stamps.tolist()) == list(range(60))


def test_deeper_than_tiles_an_exact_image(deep: Running, dense: pa.Table) -> None:
    x, y = dense["x"].to_numpy(), dense["y"].to_numpy()
    low, high = 0.5, 0.5 + 2.0**-35
    with Browser(deep.url, "deep") as browser:
        browser.layer()
        got = browser.view([[24, 24, 1 << 23, 1 << 23]], window=window(low, high, low, high))
        assert kinds(got) == [Type.IMAGE, Type.DONE] and got[-1].value["tiles"] == 0
        image = got[0].value
        assert (image.info["width"], image.info["height"], image.info["planes"]) == (640, 480, 1)
        assert image.info["window"] == [low, high, low, high] and len(image.planes) == 6
        blocks = []
        for plane in image.planes:
            fields = ("codec", "dtype", "plane", "filled", "low", "high", "constant", "payload")
            blocks.append(decode(EncodedPlane(*(getattr(plane, name) for name in fields)))[0])
        whole = np.vstack([np.hstack(blocks[:3]), np.hstack(blocks[3:])])[:480, :640]
        across, up = (((values[:-2] - 0.5) * 2.0**52).astype(np.int64) for values in (x, y))
        wanted = np.zeros((480, 640), np.int64)
        np.add.at(wanted, (479 - (up * 480 >> 17), across * 640 >> 17), 1)
        assert np.array_equal(whole, wanted) and whole.sum() == DENSE
        part = browser.view([], window=window(low, low + 2.0**-37, low, high))
        assert kinds(part) == [Type.ROWS, Type.DONE] and len(part[0].value.row) < 50_000


def test_a_window_that_is_none(served: Running) -> None:
    with Browser(served.url, "points") as browser:
        browser.layer()
        bad = [
            ({"x0": 1}, "width"),
            (window(1.0, 1.0, 0.0, 1.0), "x0"),
            (window(0.0, 1.0, 3.0, 1.0), "y0"),
            (window("a", 1.0, 0.0, 1.0), "x0"),
            (window(0.0, 1.0, 0.0, 1.0, width=0), "width"),
            (window(0.0, 1.0, 0.0, 1.0, height=1 << 20), "height"),
            ([1, 2], "window"),
            (window(0.0, 1.0, 0.0, 1.0) | {"more": 1}, "more"),
        ]
        for given, field in bad:
            got = browser.view([[0, 0, 0, 0]], window=given)
            assert kinds(got) == [Type.ERROR] and field in got[0].value["field"]
        assert kinds(browser.view([[0, 0, 0, 0]])) == [Type.TILE, Type.DONE]


def test_lines_have_no_windows(served: Running) -> None:
    with Browser(served.url, "line") as browser:
        browser.layer()
        got = browser.view([[0, 0, 0, 0]], window=window("0", "10", 0.0, 1.0))
        assert kinds(got) == [Type.TILE, Type.DONE]
