"""A brush on a connection: its steps are those of numpy, the newest wins, and it is given back at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.document.spec import Document
from bigviz.server.brushes.steps import HeldBrush
from bigviz.server.controls.figure_values import figure_of
from bigviz.server.limits import Limits
from bigviz.tiles.brush import linked_brush, some_rows
from bigviz.tiles.brush.linked_brush import LinkedBrush
from bigviz.tiles.engine import Engine
from bigviz.wire.codec import decode
from bigviz.wire.frames import Type

from ...patience import PATIENCE, until
from ..running import Running, running
from ..wire import Browser, Got

ROWS = 20_000
POINTS, HISTOGRAM, BAR, LINE, OTHER = range(5)
TIMES = {"first": "min(at)", "last": "max(at)", "middle": "mean(at)", "took": "sum(took)", "longest": "max(took)"}


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    rng = np.random.default_rng(12)
    kind = rng.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1])
    x, y = rng.normal(size=(2, ROWS))
    at = pa.array(rng.integers(0, 10**9, ROWS), pa.timestamp("ms"))
    named = {"x": x, "y": y, "fare": rng.gamma(2, 10, ROWS), "kind": kind, "t": np.arange(ROWS) * 1.0, "at": at}
    return pa.table({**named, "took": pa.array(rng.integers(0, 10**6, ROWS), pa.duration("us"))})


@pytest.fixture(scope="module")
def plots(rows: pa.Table) -> Document:
    dataset = bv.open(rows, name="trips")
    figures = [
        bv.figure().points(dataset, "x", "y"),
        bv.figure().histogram(dataset, "fare", bins=8),
        bv.figure().bar(dataset, "kind", agg="mean(fare)", sort="value"),
        bv.figure().line(dataset, "t", "x"),
    ]
    bv.link(*figures)
    figures.append(bv.figure().points(bv.open({"x": [1.0], "y": [2.0]}, name="other"), "x", "y"))
    controls = [bv.slider("least", 0, 100, 0.5, 0), bv.multiselect("kinds", ["a", "b", "c"])]
    totals = [bv.number("n", "count()", dataset), bv.number("mean", "mean(fare)", dataset, "fare >= $least")]
    controls += [*totals, bv.number("sum", "sum(t)", dataset), bv.number("far", "max(x)", dataset, "kind = 'c'")]
    controls += [bv.number(name, text, dataset) for name, text in TIMES.items()]
    controls.append(bv.number("elsewhere", "count()", figures[-1].layers[0].source))
    return bv.document(bv.column(*figures, *controls), id="d")


@pytest.fixture(scope="module")
def served(plots: Document) -> Iterator[Running]:
    with running([plots]) as server:
        yield server


def say(browser: Browser, figure: int, targets: list[dict[str, Any]], seq: int = 1, **more: Any) -> int:
    definition = browser.definition(figure)
    return browser.say(op="brush", figure=figure, layer=0, definition=definition, seq=seq, targets=targets, **more)


def target(browser: Browser, figure: int, **more: Any) -> dict[str, Any]:
    changes = {"bins": "8"} if figure == HISTOGRAM else {"sort": "value"} if figure == BAR else {}
    return {"figure": figure, "layer": 0, "definition": browser.definition(figure, **changes), **more}


def brushed(browser: Browser, request: int) -> tuple[dict[int, Got], Got]:
    got = browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR) and each.frame.request == request)
    *parts, end = (each for each in got if each.frame.request == request)
    return {each.frame.figure: each for each in parts}, end


def column(rows: pa.Table, name: str) -> np.ndarray:
    return rows.column(name).to_numpy()


def test_a_box_is_shown_in_each_kind_of_figure(served: Running, rows: pa.Table) -> None:
    x, y, fare, kind = (column(rows, name) for name in ("x", "y", "fare", "kind"))
    edges = np.histogram_bin_edges(fare, 8)
    with Browser(served.url, "d") as browser:
        root = browser.layer(POINTS).value["root"]
        targets = [
            target(browser, POINTS, view=[0, 0, 0, 0, 256, 256]),
            target(browser, HISTOGRAM, columns={"x0": float(edges[0]), "x1": float(edges[-1]), "width": 300}),
            target(browser, BAR),
            target(browser, LINE, columns={"x0": 0, "x1": ROWS, "width": 50}),
        ]
        for seq, box in enumerate([(-1, -0.5, 0.3, 1), (-1, -0.5, 0.4, 1), (0.2, 0, 2, 2), (5, 5, 6, 6)], 7):
            inside = (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])
            found, end = brushed(browser, say(browser, POINTS, targets, seq, box=list(box)))
            assert end.kind == Type.DONE and end.value["brush"] == seq and end.value["exact"] is True
            assert (end.value["selected"], end.value["of"]) == (inside.sum(), ROWS)
            image = found[POINTS].value
            assert image.info["brush"] == seq and image.info["view"] == [0, 0, 0, 0, 256, 256]
            counts = decode(image.planes[0])[0].reshape(256, 256)
            width = [2.0 ** (int(root[axis][1]) - 8) for axis in "xy"]
            start = [float(root[axis][0]) for axis in "xy"]
            cells = [
                ((each - first) // size).astype(int) for each, first, size in zip((x, y), start, width, strict=True)
            ]
            want = np.zeros((256, 256), int)
            np.add.at(want, (255 - cells[1][inside], cells[0][inside]), 1)
            np.testing.assert_array_equal(counts, want)
            bars = found[HISTOGRAM].value
            np.testing.assert_array_equal(bars.y[:-1] + int(bars.info["yorigin"]), np.histogram(fare[inside], edges)[0])
            means = found[BAR].value
            names = browser.layer(BAR, sort="value").value["x"]["categories"]
            for at, label in enumerate(names):
                some = inside & (kind == label)
                assert means.row[at] == (some.sum() or -1)
                assert not some.any() or means.y[at] == pytest.approx(fare[some].mean())
            line = found[LINE].value
            shown = set(np.flatnonzero(inside).tolist())
            assert set(line.row.astype(int).tolist()) <= shown and (len(line.row) > 0) == bool(shown)


def test_a_range_and_labels_and_brushes_that_rest(served: Running, rows: pa.Table) -> None:
    fare, kind = column(rows, "fare"), column(rows, "kind")
    with Browser(served.url, "d") as browser:
        others = [{**target(browser, BAR), "labels": ["b"]}]
        found, end = brushed(browser, say(browser, HISTOGRAM, [target(browser, BAR)], range=[5, 20], others=others))
        inside = (fare >= 5) & (fare < 20)
        assert end.value["selected"] == (inside & (kind == "b")).sum()
        assert sum(found[BAR].value.row[:-1]) == inside.sum()  # a figure shows all brushes but its own
        found, end = brushed(browser, say(browser, BAR, [target(browser, BAR)], 2, labels=["c", "a"]))
        assert end.value["selected"] == np.isin(kind, ["a", "c"]).sum()
        found, end = brushed(browser, say(browser, BAR, [target(browser, BAR)], 3))
        assert not found and end.value["brush"] == 3  # only prepared
        found, end = brushed(browser, say(browser, BAR, [], 4))
        assert not found and end.value["selected"] == 0


def test_filters_and_controls_decide_with_brushes(served: Running, rows: pa.Table) -> None:
    """After each step the targets show what numpy keeps of all brushes, their figures' filters and their own."""
    x, y, fare, kind = (column(rows, name) for name in ("x", "y", "fare", "kind"))
    edges = np.histogram_bin_edges(fare, 8)
    window = {"x0": float(edges[0]), "x1": float(edges[-1]), "width": 300}
    totals = ("n", "sum", "far")
    with Browser(served.url, "d") as browser:

        def filtered(each: dict[str, Any], text: str, **values: Any) -> dict[str, Any]:
            return {**each, "definition": {**each["definition"], "filter": text, "values": values}}

        steps = [(0, [], -1.0), (12.5, ["b", "c"], -1.0), (12.5, ["b", "c"], -0.5), (12.5, ["a"], -0.5), (90.0, [], -9)]
        for seq, (least, kinds, low) in enumerate(steps, 3):
            chosen = np.isin(kind, kinds) if kinds else np.ones(ROWS, bool)  # without a value all are kept
            box = (x >= low) & (x < 1) & (y >= -1) & (y < 2) & (fare >= least)
            bars = filtered(target(browser, BAR), "kind in $kinds", kinds=kinds)
            bars["definition"] |= {"agg": "count", "sort": "label"}
            span = filtered(target(browser, HISTOGRAM, columns=window), "fare >= $least", least=least)
            resting = {**span, "range": [2, 60]}
            resting.pop("columns")
            request = browser.say(
                op="brush", figure=POINTS, seq=seq, box=[low, -1, 1, 2], targets=[span, bars], others=[resting],
                numbers=[{"control": "mean", "values": {"least": least}}, *({"control": each} for each in totals)],
                definition={**browser.definition(POINTS), "filter": "fare >= $least", "values": {"least": least}},
            )  # fmt: skip
            found, end = brushed(browser, request)
            assert end.kind == Type.DONE and end.value["exact"], end.value
            ranged = (fare >= 2) & (fare < 60) & (fare >= least)
            assert end.value["selected"] == (box & ranged).sum()
            numbers, inside = end.value["numbers"], box & ranged
            assert numbers["n"] == inside.sum() and numbers["sum"] == np.flatnonzero(inside).sum()
            some = fare[inside & (fare >= least)]
            assert numbers["mean"] == (pytest.approx(some.mean()) if len(some) else None)
            assert numbers["far"] == (x[inside & (kind == "c")].max() if (inside & (kind == "c")).any() else None)
            heights = found[HISTOGRAM].value  # its own brush does not filter it
            bins = np.histogram(fare[box], edges)[0]
            np.testing.assert_array_equal(heights.y[:-1] + int(heights.info["yorigin"]), bins)
            counts = found[BAR].value
            shown = kind[box & ranged & chosen]
            wanted = [np.count_nonzero(shown == label) for label in "abc"]
            assert (counts.y[: len(wanted)] + int(counts.info["yorigin"])).tolist() == wanted


def test_live_figures_of_times_are_those_that_a_filter_gives(served: Running) -> None:
    """At each step, of the rows in a brush, and of none."""
    with Browser(served.url, "d") as browser:
        for seq, low in enumerate([-1.0, 0.25, 99.0]):
            box = {"box": [low, -9, low + 1, 9]}
            numbers = [{"control": each} for each in TIMES]
            _, end = brushed(browser, say(browser, POINTS, [target(browser, BAR)], seq, numbers=numbers, **box))
            assert end.kind == Type.DONE and end.value["exact"], end.value
            (dataset,) = (each for each in served.server.site.documents.opened[0].sources.values() if each.num_rows > 9)
            kept = f"x >= {low} and x < {low + 1} and y >= -9 and y < 9"
            wanted = {name: figure_of(dataset, text, kept, Cancel()) for name, text in TIMES.items()}
            assert end.value["numbers"] == wanted
            assert (wanted["first"] is None) == (low > 9)


@pytest.mark.parametrize(
    ("figure", "targets", "more", "words"),
    [
        (POINTS, [{}], {"box": [0, 0, 1, 1]}, "figure"),
        (POINTS, [BAR], {"range": [0, 1]}, "is box, got range"),
        (POINTS, [BAR], {"box": [0, 0, 1, 1], "range": [0, 1]}, "one of box, range, labels"),
        (POINTS, [BAR], {"box": [1, 0, 1, 1]}, "a window has a width"),
        (BAR, [BAR], {"labels": ["z"]}, "no label 'z'"),
        (BAR, [OTHER], {"labels": ["a"]}, "of one dataset"),
        (POINTS, [POINTS], {"box": [0, 0, 1, 1]}, "has a view"),
        (POINTS, [HISTOGRAM], {"box": [0, 0, 1, 1]}, "has columns"),
        (POINTS, ["x"], {}, "targets[0] is an object"),
        (99, [], {}, "figure is"),
        (POINTS, [BAR], {"box": [0, 0, 1, 1], "numbers": [{"control": "least"}]}, "no live figure 'least'"),
        (POINTS, [BAR], {"box": [0, 0, 1, 1], "numbers": [{"control": "elsewhere"}]}, "no live figure 'elsewhere'"),
        (POINTS, [BAR], {"box": [0, 0, 1, 1], "numbers": [{"control": 3}]}, "numbers[0].control is the id"),
    ],
)
def test_what_cannot_be_is_refused_and_the_next_step_is_answered(
    served: Running, figure: int, targets: Any, more: dict[str, Any], words: str
) -> None:
    with Browser(served.url, "d") as browser:
        wanted = [target(browser, each) if isinstance(each, int) else each for each in targets]
        definition = browser.definition(min(figure, OTHER))
        request = browser.say(op="brush", figure=figure, definition=definition, seq=1, targets=wanted, **more)
        end = brushed(browser, request)[1]
        assert end.kind == Type.ERROR and words in end.value["error"]
        assert brushed(browser, say(browser, BAR, [target(browser, BAR)], 2, labels=["a"]))[1].kind == Type.DONE


def test_steps_are_estimates_until_they_rest(plots: Document, rows: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where memory never holds what lies beside the rows: then a brush that rests is a pass over the table."""
    for module in (linked_brush, some_rows):
        monkeypatch.setattr(module, "SAMPLED", 2048)
    monkeypatch.setattr(some_rows, "_BLOCKS", 8)
    x, y, fare = (column(rows, name) for name in ("x", "y", "fare"))
    inside = (x >= -1) & (x < 1) & (y >= -1) & (y < 2) & (fare >= 10)
    with running([plots], engine=Engine(threads=2, index_bytes=1)) as served, Browser(served.url, "d") as browser:
        kept = {"filter": "fare >= $least", "values": {"least": 10}}
        definition, bars = {**browser.definition(POINTS), **kept}, target(browser, BAR)
        bars["definition"] |= {"agg": "count", "sort": "label", **kept}
        box = {"definition": definition, "box": [-1, -1, 1, 2]}
        request = browser.say(op="brush", figure=POINTS, seq=1, targets=[bars], numbers=[{"control": "n"}], **box)
        _, end = brushed(browser, request)
        assert not end.value["exact"] and abs(end.value["selected"] - inside.sum()) < 1000
        assert end.value["share"] == 2048 / ROWS
        assert end.value["numbers"]["n"] == pytest.approx(end.value["selected"], abs=10)
        found, end = brushed(browser, request)
        assert end.value["exact"] and "share" not in end.value
        assert end.value["selected"] == end.value["numbers"]["n"] == inside.sum()
        assert sum(found[BAR].value.row[:3]) == inside.sum()
        resting = [{"figure": POINTS, "layer": 0, **box}]
        request = browser.say(op="brush", control="least", seq=2, targets=[bars], others=resting)
        ends = [brushed(browser, request) for _ in range(2)]
        assert [end.value["exact"] for _, end in ends] == [False, True]
        assert sum(ends[1][0][BAR].value.row[:3]) == inside.sum()


def test_tables_without_labels_show_no_brush() -> None:
    """Bars that are none, and planes of no category, are refused: they are no frames of the protocol."""
    none = pa.table({"x": [1.0], "y": [2.0], "kind": pa.array([None], pa.dictionary(pa.int8(), pa.string()))})
    dataset = bv.open(none, name="none")
    figures = [bv.figure().points(dataset, "x", "y"), bv.figure().histogram(dataset, "x", bins=2)]
    with running([bv.document(bv.row(*figures), id="d")]) as served, Browser(served.url, "d") as browser:
        for definition, more in (
            ({"dataset": "none", "glyph": "bar", "x": "kind"}, {}),
            ({"dataset": "none", "glyph": "points", "x": "x", "y": "y", "agg": "by(kind)"},
             {"view": [0, 0, 0, 0, 256, 256]}),
        ):  # fmt: skip
            wanted = [{"figure": 1, "layer": 0, "definition": definition, **more}]
            _, end = brushed(browser, say(browser, 0, wanted, box=["0", "0", "9", "9"]))
            assert end.kind == Type.ERROR and "shows no brush" in end.value["error"]


def test_brushes_have_a_bounded_number_of_cells(plots: Document) -> None:
    """64 rasters of 16 million cells each, of every connection, would be more memory than any machine has."""
    limits = Limits(brush_cells=2 * 256 * 256, brushes_cells=3 * 256 * 256)
    box = {"box": ["-9", "-9", "9", "9"]}
    with running([plots], limits=limits) as served, Browser(served.url, "d") as one:
        raster = target(one, POINTS, view=[0, 0, 0, 0, 256, 256])
        planes = {**raster, "definition": one.definition(POINTS, agg="by(kind)")}
        for wanted in ([raster] * 3, [planes]):
            _, end = brushed(one, say(one, POINTS, wanted, **box))
            assert end.kind == Type.ERROR and "at most 131,072 cells" in end.value["error"]
        with Browser(served.url, "d") as other:
            assert brushed(one, say(one, POINTS, [raster] * 2, **box))[1].kind == Type.DONE
            _, end = brushed(other, say(other, POINTS, [raster] * 2, **box))
            assert end.kind == Type.ERROR and "try again later" in end.value["error"]
            assert brushed(one, say(one, POINTS, []))[1].kind == Type.DONE
            assert brushed(other, say(other, POINTS, [raster] * 2, **box))[1].kind == Type.DONE


def test_steps_that_are_not_begun_are_replaced(served: Running, rows: pa.Table) -> None:
    fare = column(rows, "fare")
    with Browser(served.url, "d") as browser:
        sent = [say(browser, HISTOGRAM, [target(browser, BAR)], k, range=[0, 1 + k]) for k in range(30)]
        ends = browser.until(lambda got: got.kind in (Type.DONE, Type.ERROR) and got.frame.request == sent[-1])
        answered = {got.frame.request: got for got in ends if got.kind in (Type.DONE, Type.ERROR)}
        assert set(sent) <= set(answered)
        assert answered[sent[-1]].value["selected"] == ((fare >= 0) & (fare < 30)).sum()
        refused = [got.value for got in answered.values() if got.kind == Type.ERROR]
        assert all("newer" in each["error"] and each["field"] == "seq" for each in refused)


def test_a_brush_ends_with_its_connection(served: Running) -> None:
    site = served.server.site
    until(lambda: served.on_loop(lambda: not site.viewers))  # those of the tests before
    with Browser(served.url, "d") as browser:
        brushed(browser, say(browser, BAR, [target(browser, BAR)], labels=["a"]))
        (brushing,) = [each.brushing for each in site.viewers if each.brushing is not None]
        assert brushing._held is not None
        brush = brushing._held._brush
        assert brush.nbytes > 0
    until(lambda: served.on_loop(lambda: brush.nbytes == 0 and brushing._held is None))
    with pytest.raises(Cancelled):
        brush.move(None)


def test_a_view_is_answered_while_brushes_of_others_are_under_way(
    plots: Document, rows: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps have half of the workers; here none of them comes to an end before the view has."""
    gate, move, begun = threading.Event(), HeldBrush.move, list[int]()

    def moved(self: HeldBrush, asked: Any, seq: int, cancel: Cancel) -> Any:
        begun.append(seq)
        assert gate.wait(PATIENCE)
        return move(self, asked, seq, cancel)

    monkeypatch.setattr(Engine, "at_once", property(lambda self: 4))
    fare = column(rows, "fare")
    with running([plots]) as served, ExitStack() as stack:
        brushing = [stack.enter_context(Browser(served.url, "d")) for _ in range(5)]
        for browser in brushing:
            brushed(browser, say(browser, HISTOGRAM, [target(browser, BAR)]))  # each is prepared
        monkeypatch.setattr(HeldBrush, "move", moved)
        sent = [say(each, HISTOGRAM, [target(each, BAR)], 7, range=[0, 9]) for each in brushing]
        until(lambda: len(begun) == 2)
        with Browser(served.url, "d") as other:
            got = other.view([[1, 1, i, j] for i in range(2) for j in range(2)], POINTS)
            assert [each.kind for each in got] == [Type.TILE] * 4 + [Type.DONE] and len(begun) == 2
        gate.set()
        for browser, request in zip(brushing, sent, strict=True):
            _, end = brushed(browser, request)
            assert end.value["selected"] == ((fare >= 0) & (fare < 9)).sum()


def test_a_brush_that_is_not_prepared_takes_no_thread(plots: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, prepared = threading.Event(), LinkedBrush._prepare_all

    def later(self: LinkedBrush) -> None:
        assert gate.wait(PATIENCE)
        prepared(self)

    monkeypatch.setattr(LinkedBrush, "_prepare_all", later)
    with running([plots]) as served, ExitStack() as stack:
        browsers = [stack.enter_context(Browser(served.url, "d")) for _ in range(12)]
        sent = [say(each, BAR, [target(each, BAR)], labels=["a"]) for each in browsers]
        held = lambda viewer: viewer.brushing is not None and viewer.brushing._held  # noqa: E731
        until(lambda: all(held(each) and held(each)._brush for each in served.server.site.viewers))
        names = lambda: [thread.name for thread in threading.enumerate()]  # noqa: E731
        assert names().count("bigviz-brush-quick") <= 4
        until(lambda: "bigviz-thread" not in names())
        gate.set()
        for browser, request in zip(browsers, sent, strict=True):
            assert brushed(browser, request)[1].kind == Type.DONE
