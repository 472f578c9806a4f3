"""The widget, over a fake channel: its pages get the document, its tiles and its end."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.export.widget.engine_thread import EngineThread
from bigviz.export.widget.plot_widget import PlotWidget
from bigviz.server.run.index_options import Storage
from bigviz.server.websocket.viewer import Viewer
from bigviz.wire.frames import GONE, UNREAD, Type

from ...patience import until
from .fake_page import FakePage

ROWS = 2_000
START = np.datetime64("2026-01-01T00:00:00", "ns")
TABLE = pa.table(
    {
        "t": START + np.arange(ROWS) * np.timedelta64(1, "s"),
        "x": np.arange(float(ROWS)),
        "y": np.sin(np.arange(ROWS) / 50),
    }
)


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineThread]:
    thread = EngineThread(Storage(index="never", memory=64 << 20))
    yield thread
    thread.close()


@pytest.fixture
def made(engine: EngineThread, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[PlotWidget, FakePage]]]:
    """Makes a widget of a figure or a document, and a page of it."""
    widgets = []
    pages: list[FakePage] = []

    def send(widget: object, content: dict[str, Any], buffers: list[bytes]) -> None:
        for page in pages:
            page.hear(content, buffers)

    monkeypatch.setattr(PlotWidget, "send", send)

    def make(root: Any, views: str = "a") -> Any:
        widget = PlotWidget(bv.document(root), 400, engine)
        widgets.append(widget)
        mine = [FakePage(lambda content: widget._heard(widget, content, []), view) for view in views]
        pages.extend(mine)
        return (widget, *mine)

    yield make
    for widget in widgets:
        widget.close()


def settled(engine: EngineThread) -> None:
    """Everything that was posted before has been done."""

    async def nothing() -> None:
        pass

    engine.ask(nothing())


def plot() -> bv.Figure:
    return bv.figure(title="Wave", id="wave").points(TABLE, "x", "y")


def definition(hello: dict[str, Any]) -> dict[str, Any]:
    figure = hello["document"]["layout"]
    kinds = {"xaxis": figure["x_axis"]["kind"], "yaxis": figure["y_axis"]["kind"]}
    return {name: figure["layers"][0][name] for name in ("dataset", "glyph", "x", "y", "agg", "root")} | kinds


def test_a_page_gets_its_text_the_document_and_tiles(made):
    widget, page = made(plot())
    page.say(page=True)
    content, (text,) = page.next()
    assert content == {"view": "a", "page": True} and b'data-feed="parent"' in text
    hello = page.open()
    assert hello["document"] == widget._document.to_json()
    page.ask(op="layer", figure=0, layer=0, definition=definition(hello))
    assert page.message(Type.LAYER)[1]["rows"] == ROWS
    page.ask(op="view", figure=0, layers=[{"layer": 0, "definition": definition(hello), "tiles": [[0, 0, 0, 0]]}])
    assert page.message(Type.TILE)[0].request == 2
    assert page.message(Type.DONE)[1]["tiles"] == 1


def test_one_row_is_told_with_all_its_values(made):
    _, page = made(plot())
    page.say(get=1, address="layers/0/rows/7.json")
    content, (body,) = page.next()
    assert content == {"view": "a", "got": 1, "status": 200}
    told = {each["name"]: each["value"] for each in json.loads(body)["columns"]}
    assert (told["x"], set(told)) == ("7", {"t", "x", "y"})
    for number, address in enumerate(("layers/0/rows/2000.json", "layers/1/rows/7.json", "../secret"), 2):
        page.say(get=number, address=address)
        content, (body,) = page.next()
        assert (content["got"], content["status"]) == (number, 404) and json.loads(body)["error"]


def test_the_selection_reaches_python(made):
    widget, page = made(plot())
    assert widget.selection is None
    page.say(get=1, address="layers/0/select?agg=count", body=json.dumps({"box": ["0", -9, "10", 9], "stats": ["y"]}))
    content, (body,) = page.next()
    told = json.loads(body)
    assert content["status"] == 200, told
    found = widget.selection
    assert found.count == told["rows"] == len(found.rows()) and found.expression == told["expression"]
    assert found.table(["y"], limit=2).num_rows == min(2, found.count)
    page.say(get=2, address=f"selections/{told['id']}.json?limit=3&sort=y")
    content, (body,) = page.next()
    assert content["status"] == 200 and json.loads(body)["total"] == found.count
    for number, (address, sent) in enumerate((("layers/0/select", "{}"), ("layers/7/select", "{}")), 3):
        page.say(get=number, address=address, body=sent)
        assert page.next()[0]["status"] == 400


def test_each_view_has_a_viewer_of_its_own_which_ends_with_it(made, engine: EngineThread):
    widget, one, two = made(plot(), "ab")
    one.open()
    two.open()
    settled(engine)
    assert widget._cells.count == 2
    one.say(gone=True)
    settled(engine)
    assert widget._cells.count == 1
    two.say(socket=1, close=True)
    settled(engine)
    assert widget._cells.count == 0
    two.open(2)
    assert widget._cells.count == 1


def test_what_is_no_message_is_answered_by_nothing(made, engine: EngineThread, caplog: pytest.LogCaptureFixture):
    _, page = made(plot())
    page.say(socket="many", open=True)
    page.say(socket=5, text="{}")
    page.say(nonsense=True)
    settled(engine)
    assert page.heard.empty() and "could not be read" in caplog.text
    page.open()


def test_a_closed_widget_leaves_nothing_and_answers_nothing(made, engine: EngineThread):
    widget, page = made(plot())
    page.open()
    widget.close()
    page.say(socket=2, open=True)
    settled(engine)
    assert widget._cells.count == 0 and page.heard.empty()


def test_a_document_that_fails_to_open_ends_the_connection_with_the_reason(made, engine: EngineThread):
    widget, page = made(plot())
    settled(engine)
    widget._cells.site.documents.replace([])
    page.say(socket=1, open=True)
    content, _ = page.next()
    assert content["socket"] == 1 and content["close"][0] == GONE


def test_the_tables_of_a_closed_widget_are_given_back_unless_another_shows_them(made, engine: EngineThread):
    for number in range(3):
        table = bv.open(pa.table({"x": np.arange(1_000.0) + number, "y": np.arange(1_000.0)}))
        figure = bv.figure(id="f").points(table, "x", "y")
        (first, page), (second, _) = made(figure), made(figure)
        drawn = definition(page.open())
        page.ask(op="view", figure=0, layers=[{"layer": 0, "definition": drawn, "tiles": [[0, 0, 0, 0]]}])
        page.message(Type.DONE)
        first.close()
        settled(engine)
        assert engine._backend.engine.layers._uses.of(table)
        second.close()
        settled(engine)
        settled(engine)  # what the first one put off has been done
        assert not engine._backend.engine.layers._uses.of(table)


def test_comings_and_goings_leave_no_viewer_and_no_task(made, engine: EngineThread):
    widget, page = made(plot())
    for number in range(30):
        page.open(number)
        page.say(socket=number, close=True)
    settled(engine)
    assert widget._cells.count == 0
    gc.collect()
    assert sum(type(each) is Viewer and each.site is widget._cells.site for each in gc.get_objects()) <= 1


def test_output_waits_until_the_page_has_taken_in_what_came_before(made, engine: EngineThread):
    _, page = made(plot())
    hello = page.open()
    page.ask(op="layer", figure=0, layer=0, definition=definition(hello))
    page.message(Type.LAYER)
    page.say(socket=1, took=-(8 << 20))  # as if so much were on its way
    layers = [{"layer": 0, "definition": definition(hello), "tiles": [[1, 1, i, j] for i in (0, 1) for j in (0, 1)]}]
    page.ask(op="view", figure=0, layers=layers)
    page.message(Type.TILE)
    page.say(socket=1, took=8 << 20)
    assert page.message(Type.DONE)[1]["tiles"] == 4


def test_a_page_that_reports_nothing_yet_is_not_taken_for_one_that_reads_nothing(made, engine: EngineThread):
    """It reports each MiB: that less was sent is all that is known of it for as long as nobody moves the plot."""
    widget, page = made(plot())
    page.open()

    async def watched() -> int:
        return len(widget._cells.site.lookout._watched)

    until(lambda: engine.ask(watched()) == 0)


def test_a_page_that_is_given_up_is_told_and_may_connect_again(made, engine: EngineThread):
    widget, page = made(plot())
    page.open()

    async def give_up() -> None:
        (viewer,) = widget._cells.site.viewers
        viewer._give_up(False)

    engine.ask(give_up())
    while "close" not in (content := page.next()[0]):
        pass
    assert content["socket"] == 1 and content["close"][0] == UNREAD
    assert page.open(2)["document"] == widget._document.to_json()


def test_ranges_are_what_the_page_tells_in_numbers_and_times(made):
    figure = bv.figure(title="Wave", id="wave").line(TABLE, "t", "y")
    widget, _ = made(figure)
    assert widget.ranges == {}
    seen: list[Any] = []
    widget.observe(lambda change: seen.append(change["new"]), "ranges")
    start, end = str(START.astype(int)), str(START.astype(int) + 10**9)
    widget.set_trait(
        "_views", [{"x": {"ends": [start, end], "is": "stamp"}, "y": {"ends": ["-1", "1"], "is": "number"}}]
    )
    assert widget.ranges == {"wave": {"x": (START, START + np.timedelta64(1, "s")), "y": (-1.0, 1.0)}} == seen[0]


def test_rows_are_those_in_view(made):
    widget, page = made(plot())
    with pytest.raises(bv.BadInput, match="once the plot is shown"):
        widget.rows()
    drawn = definition(page.open())
    ends = {"x": {"ends": ["10", "20"], "is": "number"}, "y": {"ends": ["-2", "2"], "is": "number"}}
    widget.set_trait("_views", [{**ends, "layers": [drawn]}])
    rows = widget.rows()
    assert rows["row"].to_pylist() == list(range(10, 20)) and rows["x"].to_pylist() == list(range(10, 20))
    assert rows.schema.metadata[b"matched"] == b"10" and widget.rows("wave", limit=3).num_rows == 3
    for wrong in ({"figure": "other"}, {"figure": 1}, {"layer": -1}, {"limit": 0}):
        with pytest.raises(bv.BadInput):
            widget.rows(**wrong)


def test_rows_of_a_line_of_times(made):
    widget, page = made(bv.figure(id="wave").line(TABLE, "t", "y"))
    drawn = definition(page.open())
    first = START.astype(int)
    ends = {"x": {"ends": [f"{first}.5", str(first + 3 * 10**9)], "is": "stamp"}, "y": {"ends": ["-2", "2"], "is": ""}}
    widget.set_trait("_views", [{**ends, "layers": [drawn]}])
    assert widget.rows()["row"].to_pylist() == [1, 2]
