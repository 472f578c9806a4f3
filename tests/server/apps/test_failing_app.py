"""Callbacks that go wrong: their viewer is told, their process is replaced, and nobody else notices."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bigviz.server.apps import callbacks

from ...patience import PATIENCE
from ..running import Running
from .app_pages import AppPage, apps, held_back

APP = Path(__file__).with_name("failing_app.py")


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    with apps([("app", APP)], callback_seconds=100.0, app_memory=1 << 30) as found:
        yield found


def limit(served: Running, monkeypatch: pytest.MonkeyPatch, to_give_in: float) -> None:
    """Let callbacks take a second from now on, and so many more once they are interrupted: a busy machine may need more
    for any other."""
    monkeypatch.setattr(callbacks, "_SECONDS_TO_GIVE_IN", to_give_in)
    monkeypatch.setattr(served.server._hub.apps["app"]._callbacks, "seconds", 1.0)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raise", "The app failed at a change of how (ValueError). The server's log says more."),
        ("loop", "The app took longer than 1 s at a change of how, and was interrupted."),
        ("swallow", "The app took longer than 1 s at a change of how, and was interrupted."),
        ("memory", "The app failed at a change of how (MemoryError). The server's log says more."),
        ("recursion", "The app failed at a change of how (RecursionError). The server's log says more."),
        ("wrong", "The app failed at a change of how: A layer has no property 'aggg' to be set. Did you mean 'agg'?"),
        ("ask", "The app failed at a change of how: "),
        ("large", "The app failed at a change of how: "),
    ],
)
def test_a_callback_that_fails_says_so_in_its_own_page_alone(
    served: Running, how: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    with AppPage(served.url) as page, AppPage(served.url) as other:
        assert page.notices(1) == other.notices(1) == ["opened with 0"]
        if how in ("loop", "swallow"):
            limit(served, monkeypatch, PATIENCE)
        page.change("how", how)
        error = page.push("error")
        monkeypatch.undo()
        assert error["message"].startswith(words) and "secret" not in error["message"]
        assert "app" not in error, "the traceback is for the log"
        logged = served.await_event("app", app="app", line=next(
            facts["line"] for name, facts in served.events if name == "app" and facts["line"].startswith(words)
        ))  # fmt: skip
        assert "Traceback" in logged["line"]
        other.change("number", 5)
        page.change("number", 6)
        assert other.notices(1) == ["5 None"] and page.notices(1) == [f"6 {how}"]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("exit", "The app ended itself with exit code 3. It is started again."),
        ("fault", "The app was ended by a segmentation fault: native code went wrong. It is started again."),
        ("sleep", "The app took longer than 1 s for a callback, and could not be interrupted. It is started again."),
    ],
)
def test_a_process_that_ends_is_replaced_and_values_are_kept(
    served: Running, how: str, words: str, monkeypatch: pytest.MonkeyPatch
):
    app = served.server._hub.apps["app"]  # type: ignore[union-attr]
    app._wait = 0.01
    with held_back(served, app) as go_on, AppPage(served.url) as page, AppPage(served.url) as other:
        assert page.notices(1) == other.notices(1) == ["opened with 0"]
        other.change("number", 4)
        assert other.notices(1) == ["4 None"]
        if how == "sleep":
            limit(served, monkeypatch, 1.0)
        page.change("how", how)
        for each in (page, other):
            assert each.push("app", state="stopped")["reason"] == words
        monkeypatch.undo()
        page.change("number", 9)  # while there is no process
        facts = page.layer().value
        assert facts["rows"] == 4, "tiles are served all the time"
        go_on()
        for each in (page, other):
            assert each.push("app", state="running")["reason"] is None
        assert other.notices(1) == ["opened with 4"]
        assert page.notices(2) == ["opened with 9", f"9 {how}"]


def test_what_callbacks_ask_is_answered_by_the_server(served: Running):
    with AppPage(served.url) as page:
        page.change("how", "ask")
        assert page.notices(2)[1] == "1 5.0 5.0 a [2.0, 5.0]"


def test_an_answer_that_is_too_large_is_an_error_of_the_callback(served: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bigviz.apps.process.messages.MOST_BODY", 10)
    with AppPage(served.url) as page:
        page.change("how", "ask")
        assert "of one answer: ask for fewer" in page.push("error")["message"]


def test_what_is_selected_is_told_and_read(served: Running):
    host = f"127.0.0.1:{served.server.port}"
    answer = served.get("/app/layers/0/select", "POST", b'{"box": [1.5, 0, 3.5, 9]}', Host=host,
                        Content_Type="application/json", Origin=f"http://{host}")  # fmt: skip
    found = json.loads(answer.body)
    assert found["rows"] == 2
    with AppPage(served.url) as page:
        page.say(op="selection", figure="f0", selection=found["id"])
        count, expression, rows, table = ast.literal_eval(page.notices(2)[1])
        assert (count, rows, table) == (2, [1, 2], {"kind": ["b"]}) and "x" in expression
        page.say(op="selection", figure="f0", selection=None)
        assert page.notices(1) == ["None"]
        page.say(op="selection", figure="f0", selection="x" * 22)
        assert "no such selection" in page.refusal()["error"]


def test_a_flood_of_lines_is_cut_short(served: Running):
    with AppPage(served.url) as page:
        page.change("how", "print")
        assert page.notices(2)[1] == "print is over"
    lines = [facts["line"] for name, facts in served.events if name == "app" and facts["line"][:1] in "xy…"]
    assert 100 < len(lines) < 3_000 and max(map(len, lines)) < 3_000


def test_pushes_of_a_click(served: Running):
    with AppPage(served.url) as page:
        page.notices(1)
        page.change("go", 1)
        assert page.push("set")["controls"] == {"number": {"value": 7}}
        told = page.push("set")
        assert told["figures"] == {"f0": {"title": "Clicked"}} and told["ranges"] == {"x0": [1, 3]}
        page.say(op="range", ranges={"x0": [0.5, 1.5], "y0": [-1, 1]})
        assert page.notices(1) == ["(0.5, 1.5, -1, 1) True"]
        session = page.session["id"]
    with AppPage(served.url, session=session) as page:
        assert page.session["id"] == session and page.session["values"]["number"] == 7
        assert page.session["ranges"] == {"x0": [0.5, 1.5], "y0": [-1, 1]}
        assert page.session["set"] == {"figures": {"f0": {"title": "Clicked"}}}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"op": "control", "control": "none", "value": 1}, "There is no control"),
        ({"op": "control", "control": "number", "value": 1_000}, "'number'"),
        ({"op": "control", "control": "how", "value": "other"}, "one of its options"),
        ({"op": "range", "ranges": {"z": [0, 1]}}, "There is no range"),
        ({"op": "range", "ranges": {"x0": [1, 0]}}, "the start below the end"),
        ({"op": "range", "ranges": {"x0": [1, "2"]}}, "is a pair"),
        ({"op": "control", "control": "number", "values": 1}, "unknown key"),
    ],
)
def test_messages_that_are_refused(served: Running, message: dict, words: str):
    with AppPage(served.url) as page:
        page.say(**message)
        assert words in page.refusal()["error"]
