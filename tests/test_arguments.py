"""Whatever the public functions are given, they take it, or say what was expected and what came: no error is Python's
own, of some line within."""

from __future__ import annotations

import datetime
import inspect
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.client.refusals import Unreachable
from bigviz.common.errors import BigvizError

TABLE = pa.table({"a": [1.0, 2.0], "b": [2.0, 1.0], "kind": ["u", "v"]})
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 5, 2**70, -(2**70), 0.0, 1.5, -0.5, float("nan"), float("inf"), "", "5", "a", "$a",
    "a\nb", "\ud800", "x" * 20_000, b"x", [], [1], [1, "a"], [2, 1], (1, 2), (2, 1), (1, 2, 3), ("a", "b"),
    (None, None),
    [[1]], {}, {"a": 1}, {1: "a"}, {1, 2}, {"a": [1.0]}, object(), int, len, Decimal(1), np.int64(3), np.float32(1.5),
    np.array([1, 2]), np.array(3), datetime.date(2024, 2, 29), datetime.timedelta(days=1), 1j, range(3), iter([1]),
)  # fmt: skip


class Silent:
    """Requests that nobody answers."""

    url = "http://127.0.0.1:1"

    def json(self, *args: Any, **more: Any) -> dict[str, Any]:
        raise Unreachable("Nobody answers at this address.", "url", self.url)

    send = reading = json


def points(**more: Any) -> bv.Figure:
    return bv.figure().points(**{"source": TABLE, "x": "a", "y": "b", **more})


def shown(thing: Any) -> None:
    """What a document makes of it."""
    parts = thing if isinstance(thing, bv.Figure) and thing.layers else bv.column(points(), thing)
    bv.document(parts).to_json()


def nothing(_: Any) -> None:
    pass


CONNECTION = bv.Connection(Silent())  # type: ignore[arg-type]
ENTRIES: dict[str, tuple[Callable[..., Any], dict[str, Any], Callable[[Any], None]]] = {
    "Canvas": (bv.Canvas, {}, lambda canvas: canvas.points(TABLE, "a", "b")),
    "filter": (lambda filter: bv.Canvas(4, 4).points(TABLE, "a", "b", filter=filter), {"filter": ""}, nothing),
    "figure": (bv.figure, {}, lambda figure: shown(figure.points(TABLE, "a", "b"))),
    "points": (bv.figure().points, {"source": TABLE, "x": "a", "y": "b"}, nothing),
    "line": (bv.figure().line, {"source": TABLE, "x": "a", "y": "b"}, nothing),
    "histogram": (bv.figure().histogram, {"source": TABLE, "x": "a"}, nothing),
    "bar": (bv.figure().bar, {"source": TABLE, "x": "kind"}, nothing),
    "document": (lambda root, title=None, id=None, rows=None: bv.document(root, title=title, id=id, rows=rows),
                 {"root": points()}, lambda made: made.to_json()),
    "load": (bv.load, {"source": bv.document(points()).to_json()}, nothing),
    "open": (bv.open, {"source": TABLE}, nothing),
    "select": (bv.select, {"id": "k", "options": ["u", "v"]}, shown),
    "multiselect": (bv.multiselect, {"id": "k", "options": ["u", "v"]}, shown),
    "radio": (bv.radio, {"id": "k", "options": ["u", "v"]}, shown),
    "select of a column": (bv.select, {"id": "k", "options": TABLE, "column": "kind"}, shown),
    "checkbox": (bv.checkbox, {"id": "k"}, shown),
    "slider": (bv.slider, {"id": "k", "start": 0, "end": 9}, shown),
    "range_slider": (bv.range_slider, {"id": "k", "start": 0, "end": 9}, shown),
    "date_range": (bv.date_range, {"id": "k"}, shown),
    "text_input": (bv.text_input, {"id": "k"}, shown),
    "button": (bv.button, {"id": "k", "label": "Go"}, shown),
    "table": (bv.table, {"id": "k", "figure": points()}, nothing),
    "markdown": (bv.markdown, {"text": "words"}, shown),
    "number": (bv.number, {"id": "k", "expression": "mean(a)", "source": TABLE}, shown),
    "grid": (lambda child, columns, id=None: bv.grid(child, columns=columns, id=id),
             {"child": points(), "columns": 1}, lambda box: bv.document(box)),
    "tabs": (bv.tabs, {"children": {"A": points()}}, lambda box: bv.document(box)),
    "link": (lambda one, mode="filter": bv.link(one, points(), mode=mode), {"one": points()}, nothing),
    "on_open": (bv.on_open, {"call": print}, nothing),
    "where": (lambda expression: bv.open(TABLE).where(expression), {"expression": "a > 1"}, nothing),
    "layout": (lambda child, id=None: bv.row(child, id=id), {"child": points()}, lambda box: bv.document(box)),
    "connect": (bv.connect, {"url": "http://127.0.0.1:1"}, nothing),
    "embed": (bv.embed, {"name": "plot", "url": "http://127.0.0.1:1"}, nothing),
    "publish": (CONNECTION.publish, {"name": "plot", "plot": points()}, nothing),
    "unpublish": (CONNECTION.unpublish, {"name": "plot"}, nothing),
    "Connection.open": (CONNECTION.open, {"name": "plot"}, nothing),
    "upload": (CONNECTION.upload, {"name": "rows", "table": TABLE}, nothing),
    "stream": (CONNECTION.stream, {"name": "rows", "schema": {"a": "float64"}}, nothing),
    "watch": (CONNECTION.watch, {"name": "rows"}, nothing),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigviz.client.streams._WAITS", ())


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_argument_may_be_anything(entry: str):
    call, good, use = ENTRIES[entry]
    wrong = []
    for name in inspect.signature(call).parameters:
        if name in ("progress", "cancel"):
            continue
        for value in HOSTILE:
            try:
                with warnings.catch_warnings(action="ignore"):
                    use(call(**{**good, name: value}))
            except BigvizError as error:
                if len(error.message.split()) < 3:
                    wrong.append(f"{name}={value!r:.60}: says only {error.message!r}")
            except Exception as error:
                wrong.append(f"{name}={value!r:.60}: {type(error).__name__}: {error!s:.200}")
    assert not wrong, "\n".join(wrong)


def test_an_argument_of_a_canvas_says_what_it_may_be():
    with pytest.raises(ValueError, match="plot_width must be a whole number of cells, got '5'") as error:
        bv.Canvas("5", 5)  # type: ignore[arg-type]
    assert isinstance(error.value, bv.BadInput) and error.value.field == "plot_width"
    assert bv.Canvas(np.int64(5), 5).points(TABLE, "a", "b").shape == (5, 5)
