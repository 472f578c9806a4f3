"""A control that is dragged as a brush: each step is what the filtered layers answer, and what cannot be is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.document.spec import Document
from bigviz.wire.frames import Type

from ..running import Running, running
from ..wire import Browser, Got, cells

ROWS = 20_000
POINTS, HISTOGRAM, BAR, LINE, RANGE, DAYS, SORTED, TWICE, OTHER = range(9)


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    rng = np.random.default_rng(12)
    miles = np.round(rng.gamma(2, 10, ROWS), 1).astype(np.float32)
    miles[::50], miles[7::50] = np.nan, np.inf
    day = np.datetime64("2024-01-01") + rng.integers(0, 60 * 86_400, ROWS).astype("timedelta64[s]")
    return {
        "x": rng.normal(size=ROWS), "y": rng.normal(size=ROWS), "miles": miles, "hour": rng.integers(0, 24, ROWS),
        "kind": rng.choice(["a", "b", "c"], ROWS), "t": np.arange(ROWS) * 1.0, "day": day.astype("datetime64[us]"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def plots(table: dict[str, Any]) -> Document:
    dataset = bv.open(pa.table(table), name="trips")
    least, hours = bv.slider("least", 0, 100, 0.1, 10), bv.range_slider("hours", 0, 24, 1)
    days, kinds = bv.date_range("days"), bv.multiselect("kinds", dataset, column="kind")
    kept = "kind in $kinds and miles >= $least"
    other = bv.open({"x": [1.0, 2.0], "y": [2.0, 3.0], "miles": [5.0, 50.0]}, name="other")
    figures = [
        bv.figure().points(dataset, "x", "y", filter=kept),
        bv.figure().histogram(dataset, "miles", bins=8, filter=kept),
        bv.figure().bar(dataset, "kind", filter=kept),
        bv.figure().line(dataset, "t", "x", filter=kept),
        bv.figure().points(dataset, "x", "y", agg="mean(y)", filter="hour between $hours"),
        bv.figure().points(dataset, "x", "y", filter="day between $days"),
        bv.figure().bar(dataset, "kind", sort="value", filter=kept),
        bv.figure().points(dataset, "x", "y", filter="miles >= $least or hour = $least"),
        bv.figure().points(other, "x", "y", filter="miles > $least"),
    ]
    numbers = [bv.number("n", "count()", dataset, "miles >= $least"), bv.number("mean", "mean(x)", dataset)]
    numbers.append(bv.number("twice", "count()", dataset, "miles > $least or hour = $least"))
    return bv.document(bv.column(least, hours, days, kinds, *numbers, *figures), id="d")


@pytest.fixture(scope="module")
def served(plots: Document) -> Iterator[Running]:
    with running([plots]) as server:
        yield server


def definition(browser: Browser, figure: int, **values: Any) -> dict[str, Any]:
    kept = {
        RANGE: "hour between $hours",
        DAYS: "day between $days",
        TWICE: "miles >= $least or hour = $least",
        OTHER: "miles > $least",
    }
    changes = {"bins": "8"} if figure == HISTOGRAM else {"sort": "value"} if figure == SORTED else {}
    text = kept.get(figure, "kind in $kinds and miles >= $least")
    return browser.definition(figure, **changes, filter=text, values=values)


SHOWN: dict[int, dict[str, Any]] = {
    HISTOGRAM: {"columns": {"x0": 0, "x1": 120, "width": 300}},
    LINE: {"columns": {"x0": 0, "x1": ROWS, "width": 50}},
    BAR: {},
    SORTED: {},
}


VIEW = {"view": [0, 0, 0, 0, 256, 256]}


def drag(browser: Browser, control: str, figures: list[int], seq: int = 1, prepare: bool = False, **values: Any) -> int:
    targets = [
        {"figure": each, "layer": 0, "definition": definition(browser, each, **values), **SHOWN.get(each, VIEW)}
        for each in figures
    ]
    more = {"prepare": True} if prepare else {}
    return browser.say(op="brush", control=control, seq=seq, targets=targets, **more)


def brushed(browser: Browser, request: int) -> tuple[dict[int, Got], Got]:
    got = browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR) and each.frame.request == request)
    *parts, end = (each for each in got if each.frame.request == request)
    return {each.frame.figure: each for each in parts}, end


def filtered(browser: Browser, figure: int, **values: Any) -> Any:
    """What a filtered layer answers for what a target shows."""
    wanted = definition(browser, figure, **values)
    request = browser.say(op="layer", figure=figure, layer=0, definition=wanted)
    browser.until(lambda got: got.kind in (Type.LAYER, Type.ERROR) and got.frame.request == request)
    part = (
        {"columns": {"x0": 0, "x1": 3, "width": 9}} if figure == BAR else SHOWN.get(figure, {"tiles": [[0, 0, 0, 0]]})
    )
    request = browser.say(op="view", figure=figure, layers=[{"layer": 0, "definition": wanted, **part}])
    got = browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR) and each.frame.request == request)
    return next(each.value for each in got if each.kind in (Type.TILE, Type.COLUMNS))


def same(figure: int, found: Got, expected: Any) -> None:
    if figure in (HISTOGRAM, BAR, LINE):
        for name in ("x", "y", "row"):
            np.testing.assert_array_equal(getattr(found.value, name), getattr(expected, name), err_msg=name)
        return
    for one, other in zip(found.value.planes, expected.planes, strict=True):
        np.testing.assert_allclose(cells(one), cells(other), rtol=1e-14, err_msg=str(figure))


def cell_means(browser: Browser, x: Any, y: Any, kept: Any) -> float:
    """The sum of the means of y in the cells of the root."""
    root = browser.layer(RANGE).value["root"]
    place = [
        ((each[kept] - float(root[axis][0])) // 2.0 ** (int(root[axis][1]) - 8)).astype(int)
        for each, axis in ((x, "x"), (y, "y"))
    ]
    cell = place[0] * 256 + place[1]
    sums, rows = (np.bincount(cell, weights, 65_536) for weights in (y[kept], None))
    return float((sums[rows > 0] / rows[rows > 0]).sum())


def test_each_step_is_what_the_filtered_layers_answer(served: Running) -> None:
    figures = [POINTS, HISTOGRAM, BAR, LINE]
    with Browser(served.url, "d") as browser:
        found, end = brushed(browser, drag(browser, "least", figures, prepare=True, least=10, kinds=["a", "c"]))
        assert not found and end.value["taking"] == [[each, 0] for each in figures]
        for seq, least in enumerate([10, 10.1, 37.4, 12.5, 100, 0, None, 20.2]):
            values = {"least": least, "kinds": ["a", "c"]}
            found, end = brushed(browser, drag(browser, "least", figures, seq, **values))
            assert end.kind == Type.DONE and end.value["exact"] and end.value["brush"] == seq
            assert "selected" not in end.value and sorted(found) == figures
            for each in figures:
                same(each, found[each], filtered(browser, each, **values))
        found, end = brushed(browser, drag(browser, "least", figures, 9, least=20.2, kinds=["b"]))  # another control
        same(POINTS, found[POINTS], filtered(browser, POINTS, least=20.2, kinds=["b"]))


def test_a_drag_while_brushes_rest_is_what_both_leave(served: Running, table: dict[str, Any]) -> None:
    """Against numpy: targets of the control, one that it moves by the filter below a brush alone, and live figures."""
    x, y, miles, hour, kind = (table[name] for name in ("x", "y", "miles", "hour", "kind"))
    with Browser(served.url, "d") as browser:

        def step(seq: int, least: float | None, box: list[float], numbers: list[str], **more: Any) -> Any:
            values = {"least": least, "kinds": ["a", "c"]}
            targets = [
                {"figure": each, "layer": 0, "definition": definition(browser, each, **values), **SHOWN.get(each, VIEW)}
                for each in (HISTOGRAM, BAR, RANGE, DAYS)
            ]
            others = [
                {"figure": POINTS, "layer": 0, "definition": definition(browser, POINTS, **values), "box": box,
                 "figures": [HISTOGRAM, BAR, RANGE]},
                {"figure": RANGE, "layer": 0, "definition": definition(browser, RANGE, hours=[3, 20]),
                 "box": [-2, -1, 1, 2]},
            ]  # fmt: skip
            wanted = [{"control": name, "values": {"least": least} if name != "mean" else {}} for name in numbers]
            request = {"control": "least", "seq": seq, "targets": targets, "others": others, "numbers": wanted}
            return brushed(browser, browser.say(op="brush", **{**request, **more}))

        for seq, (least, low) in enumerate([(10, -1.0), (10.5, -1.0), (3, -1.0), (40, -0.5), (None, -0.5), (12, -0.5)]):
            found, end = step(seq, least, [low, -1, 1, 1], ["n", "mean"])
            assert end.kind == Type.DONE, end.value
            assert end.value["taking"] == [[HISTOGRAM, 0], [BAR, 0], [RANGE, 0]] and "selected" not in end.value
            kept = np.ones(ROWS, bool) if least is None else miles >= np.float32(least)
            first = (x >= low) & (x < 1) & (y >= -1) & (y < 1) & np.isin(kind, ["a", "c"]) & kept
            second = (x >= -2) & (x < 1) & (y >= -1) & (y < 2) & (hour >= 3) & (hour <= 20)
            both = first & second
            counts = [np.count_nonzero(both & (kind == label)) for label in "abc"]
            bars = found[BAR].value
            assert (bars.y[:3] + int(bars.info["yorigin"])).tolist() == counts
            ranged = first & (hour >= 0)  # its own brush does not filter it, and hours have no value there
            means = cells(found[RANGE].value.planes[0])
            assert np.nansum(means) == pytest.approx(cell_means(browser, x, y, ranged), rel=1e-9)
            assert end.value["numbers"]["n"] == np.count_nonzero(both)
            assert end.value["numbers"]["mean"] == pytest.approx(x[both].mean())
        _, end = step(9, 12, [-1, -1, 1, 1], ["twice"])
        assert end.kind == Type.ERROR and "does not move all of these" in end.value["error"]
        assert step(10, 12, [-1, -1, 1, 1], ["n"])[1].kind == Type.DONE


@pytest.mark.parametrize(
    ("control", "figure", "values"),
    [
        ("hours", RANGE, [None, [3, 7], [7, 7], [0, 23], [0, 24]]),
        (
            "days",
            DAYS,
            [None, ["2024-01-03", "2024-01-09"], ["2024-01-09", "2024-01-09"], ["2025-01-01", "2025-01-02"]],
        ),
        ("least", OTHER, [5, 4.9, 50, 60]),
    ],
)
def test_pairs_days_and_open_ends(served: Running, control: str, figure: int, values: list[Any]) -> None:
    with Browser(served.url, "d") as browser:
        for seq, value in enumerate(values):
            found, end = brushed(browser, drag(browser, control, [figure], seq, **{control: value}))
            assert end.kind == Type.DONE, end.value
            same(figure, found[figure], filtered(browser, figure, **{control: value}))


def test_layers_that_one_range_does_not_move_are_left_out(served: Running) -> None:
    with Browser(served.url, "d") as browser:
        found, end = brushed(browser, drag(browser, "least", [TWICE, SORTED, POINTS, OTHER, RANGE], least=3))
        assert end.value["taking"] == [[POINTS, 0]] and list(found) == [POINTS]
        for control, figures, words in (
            ("least", [TWICE, SORTED], "No filter of these layers"),
            ("kinds", [POINTS], "No filter of these layers"),
            ("most", [POINTS], "no control 'most'"),
        ):
            end = brushed(browser, drag(browser, control, figures, 2, least=3))[1]
            assert end.kind == Type.ERROR and words in end.value["error"]
        end = brushed(browser, drag(browser, "least", [POINTS], 3, least=1_000))[1]
        assert end.kind == Type.ERROR and "from 0 to 100" in end.value["error"]
        assert brushed(browser, drag(browser, "least", [POINTS], 4, least=4))[1].kind == Type.DONE


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"control": 3}, "id of a control"),
        ({"control": "least", "prepare": 1}, "true or false"),
        ({"control": "least", "range": [0, 1]}, "brush of its own"),
        ({"figure": 0, "prepare": True}, "goes with a control"),
    ],
)
def test_messages_without_sense_are_refused(served: Running, more: dict[str, Any], words: str) -> None:
    with Browser(served.url, "d") as browser:
        end = brushed(browser, browser.say(op="brush", seq=1, targets=[], **more))[1]
        assert end.kind == Type.ERROR and words in end.value["error"]
