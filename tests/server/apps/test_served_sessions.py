"""Sessions of pages on a real server: each its own, at their own times, for their own viewers, and over restarts."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ...patience import until
from ..people import People
from ..running import Running
from .app_pages import AppPage, apps, held_back, rowless

APP = Path(__file__).with_name("remembering_app.py")
PAGES = 100
WARM = 10  # more than callbacks at a time
MOST_BYTES = 100 << 10  # of a session, in the app's process


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    found = People.at(tmp_path_factory.mktemp("people") / "library")
    with found.library:
        yield found


@pytest.fixture(scope="module")
def served(people: People) -> Iterator[Running]:
    with apps([("app", APP)], library=people.library) as found:
        found.await_event("loaded")
        yield found


class Opened:
    """Pages of a server's app as different viewers open them."""

    def __init__(self, served: Running, people: People) -> None:
        self.served, self.people = served, people

    def page(self, who: str = "viewer", session: str | None = None) -> AppPage:
        return AppPage(self.served.url, session=session, additional_headers=self.people.bearer(who))

    @contextmanager
    def pages(self, count: int) -> Iterator[list[AppPage]]:
        """Pages of two viewers in turn."""
        with ExitStack() as stack:
            yield [stack.enter_context(self.page(("viewer", "writer")[at % 2])) for at in range(count)]

    def select(self, who: str, box: list[float]) -> dict[str, Any]:
        answer = self.served.get("/app/layers/0/select", "POST", json.dumps({"box": box}).encode(),
                                 Content_Type="application/json", **self.people.bearer(who))  # fmt: skip
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def keep_for(self, seconds: float) -> None:
        """How long sessions wait for their pages from now on."""
        self.served.server._hub.sessions._seconds = seconds  # type: ignore[union-attr]


@pytest.fixture
def opened(served: Running, people: People) -> Opened:
    return Opened(served, people)


def numbered(page: AppPage, value: int) -> bool:
    """Whether the app tells a page of a number that it has changed."""
    page.change("number", value)
    return page.notices(1) == [f"{value}: {value} of {value}"]


def asked(page: AppPage, what: str) -> str:
    """What the app says to this."""
    page.change("do", what)
    return page.notices(1)[0]


def test_a_hundred_pages_get_their_own_answers_and_give_their_memory_back(opened: Opened):
    opened.keep_for(0.0)
    with opened.page() as first:
        with opened.pages(WARM) as pages:  # from then on everything is loaded
            for page in pages:
                assert numbered(page, 1)
        opened.served.await_event("app", line=f"{WARM} are gone")
        before = int(asked(first, "memory"))
        with opened.pages(PAGES) as pages:
            for at, page in enumerate(pages):
                page.change("number", at)
                page.change("number", 2 * at)
            for at, page in enumerate(pages):
                told = page.notices(1)[0]
                if told == f"{at}: {at} of {at}":  # the second change came when the first one's call ran
                    told = page.notices(1)[0]
                assert told == f"{2 * at}: {2 * at} of {2 * at}"
            assert (int(asked(first, "memory")) - before) / PAGES < MOST_BYTES
        opened.served.await_event("app", line=f"{WARM + PAGES} are gone")
        kept = int(asked(first, "memory")) - before
        assert kept < 5 * MOST_BYTES, "caches, which are bounded, fill up with what a hundred pages send"


def test_what_is_called_from_time_to_time(opened: Opened):
    opened.keep_for(100)
    with opened.page() as page, opened.page() as other:
        page.change("do", "tick")
        assert page.notices(3) == ["tick 0", "tick 1", "tick 2"]
        assert asked(other, "who") == "viewer", "ticks are one session's"
    with opened.page(session=page.session["id"]) as page:
        last = int(page.notices(1)[0].removeprefix("tick "))
        assert page.notices(1) == [f"tick {last + 1}"], "it goes on with a page that comes back"
        page.change("do", "stop")
        while page.notices(1) != ["stopped"]:
            pass
        session = opened.served.server._hub.session(page.session["id"])  # type: ignore[union-attr]
        assert session is not None and not session.timers and not session.ticking


def test_values_windows_and_selections_are_there_again_after_a_restart(opened: Opened, people: People):
    opened.keep_for(100)
    app = opened.served.server._hub.apps["app"]  # type: ignore[union-attr]
    app._wait = 0.01
    with opened.page() as page:
        page.change("number", 40)
        page.say(op="range", ranges={"x0": [5, 10], "y0": [0, 3]})
        found = opened.select("viewer", [0.5, 1.5, 4.5, 2.5])
        page.say(op="selection", figure="f0", selection=found["id"])
        assert set(page.notices(3)) == {"40: 40 of 40", "moved to (5, 10, 0, 3)", "selected 2"}
        state = asked(page, "state")
        number, window, (count, _, rows) = ast.literal_eval(state)
        assert (number, window, count, rows) == (40, (5, 10, 0, 3), 2, [1, 3])
        numbers = asked(page, "random")
        page.change("do", "exit")
        assert page.push("app", state="stopped") and page.push("app", state="running")
        assert asked(page, "state") == state
        again = asked(page, "random")
        ours, theirs = (ast.literal_eval(each) for each in (numbers, again))
        assert ours[0] != theirs[0] and ours[1] != theirs[1], "forks draw other numbers"
        with held_back(opened.served, app) as go_on:
            page.change("do", "exit")
            page.push("app", state="stopped")
            page.close()
            go_on()
            until(lambda: app.state == "running")
    with opened.page(session=page.session["id"]) as page:  # it was not there when the process was another one
        told = page.session
        assert told["values"]["number"] == 40 and told["ranges"] == {"x0": [5, 10], "y0": [0, 3]}
        assert told["set"]["figures"] == {"f0": {"title": "40 rows below 40"}}
        assert asked(page, "state") == state


def test_two_viewers_have_their_own_names_sessions_selections_and_rights(opened: Opened):
    opened.keep_for(100)
    with opened.page("viewer") as ada, opened.page("writer") as bob:
        assert (asked(ada, "who"), asked(bob, "who")) == ("viewer", "writer")
        assert numbered(ada, 7)
        with opened.page("writer", session=ada.session["id"]) as thief:
            assert thief.session["id"] != ada.session["id"] and thief.session["values"]["number"] == 0
        assert asked(ada, "state").startswith("(7, "), "it goes on"
        found = opened.select("viewer", [0, 0, 9, 9])
        bob.say(op="selection", figure="f0", selection=found["id"])
        assert "no such selection" in bob.refusal()["error"]
        assert asked(ada, "rows") == asked(bob, "rows") == "[1.0, 3.0]"
        session = opened.served.server._hub.session(bob.session["id"])  # type: ignore[union-attr]
        assert session is not None
        rowless(opened.served, *session.pages)
        assert asked(ada, "rows") == "[1.0, 3.0]"
        bob.change("do", "rows")
        assert "does not give out single rows" in bob.push("error")["message"]
