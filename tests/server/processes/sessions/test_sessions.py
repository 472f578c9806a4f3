"""An app and shared pages behind two processes: whichever has a page's connection, it is one session of one server."""

from __future__ import annotations

import ast
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from bigviz.library.library import Library

from ...apps.app_pages import AppPage
from ..front_ends import FrontEnds, front_ends

APP = Path(__file__).parents[2] / "apps" / "remembering_app.py"
TILE = "/remembering_app/layers/0/tiles/0/0/0.npy"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A library with an admin, and the admin's token."""
    folder = tmp_path_factory.mktemp("sessions") / "library"
    with Library.open(folder) as found:
        found.users.add("ann", admin=True)
        return folder, found.tokens.create("ann", "admin", 1)[1]


@pytest.fixture(scope="module")
def two(library: tuple[Path, str]) -> Iterator[FrontEnds]:
    with front_ends(str(APP), f"--library={library[0]}") as found:
        yield found


@pytest.fixture(scope="module")
def ann(library: tuple[Path, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {library[1]}"}


def page_at(server: FrontEnds, pid: int, ann: dict[str, str], session: str | None = None) -> AppPage:
    return AppPage(server.url, APP.stem, session, sock=server.connected(pid), additional_headers=ann)


def asked(page: AppPage, what: str) -> str:
    """What the app says to this."""
    page.change("do", what)
    return page.notices(1)[0]


def test_a_page_has_its_session_at_any_process(two: FrontEnds, ann: dict[str, str]):
    home, away = two.pids
    tags = {two.get(pid, TILE, **ann).headers["Etag"] for pid in (home, away)}
    assert len(tags) == 1, "one table, in the memory of one app"
    for pid, other in ((away, home), (home, away)):
        with page_at(two, pid, ann) as page:
            page.change("number", 40)
            page.say(op="range", ranges={"x0": [5, 10], "y0": [0, 3]})
            box = json.dumps({"box": [0.5, 1.5, 4.5, 2.5]}).encode()
            found = json.loads(two.get(other, "/remembering_app/layers/0/select", "POST", box, **ann).body)
            page.say(op="selection", figure="f0", selection=found["id"])
            assert set(page.notices(3)) == {"40: 40 of 40", "moved to (5, 10, 0, 3)", "selected 2"}
            state = asked(page, "state")
            number, window, (count, _, rows) = ast.literal_eval(state)
            assert (number, window, count, rows) == (40, (5, 10, 0, 3), 2, [1, 3])
            assert (asked(page, "who"), asked(page, "rows")) == ("ann", "[1.0, 3.0]")
            page.say(op="control", control="none", value=1)
            assert "no control" in page.refusal()["error"]
            page.change("do", "tick")
            assert page.notices(2) == ["tick 0", "tick 1"]
            page.change("do", "stop")
            while page.notices(1) != ["stopped"]:
                pass
        with page_at(two, other, ann, page.session["id"]) as again:
            assert again.session["id"] == page.session["id"] and again.session["values"]["number"] == 40
            assert asked(again, "state") == state
            again.change("do", "exit")
            assert again.push("app", state="stopped") and again.push("app", state="running")
            assert asked(again, "state") == state


def test_a_process_that_is_killed_leaves_what_others_have(two: FrontEnds, ann: dict[str, str]):
    for is_home in (False, True):
        left, killed = two.pids[::-1] if is_home else two.pids
        page, other = page_at(two, killed, ann), page_at(two, left, ann)
        for each in (page, other):
            each.change("number", 7)
            assert each.notices(1) == ["7: 7 of 7"]
        os.kill(killed, signal.SIGKILL)
        for each in (page, other) if is_home else (page,):
            with pytest.raises(ConnectionClosed):
                each.until(lambda got: False)
        with page_at(two, left, ann, page.session["id"]) as again:
            assert (again.session["id"] == page.session["id"]) is not is_home
            assert again.session["values"]["number"] == (0 if is_home else 7)
            again.change("number", 8)
            assert again.notices(1) == ["8: 8 of 8"]
        if not is_home:
            assert asked(other, "rows") == "[1.0, 3.0]"
        other.close()
        two.told("process", lambda facts: facts["done"] == "answers")


def test_shared_pages_are_one_session_at_all_processes(library: tuple[Path, str], ann: dict[str, str]):
    with front_ends(str(APP), f"--library={library[0]}-shared", "--shared", "--allow-anonymous") as server:
        home, away = server.pids
        pages = [page_at(server, pid, {}) for pid in (home, away, away)]
        with pages[0], pages[1], pages[2]:
            assert len({each.session["id"] for each in pages}) == 1
            assert all(each.session["shared"] for each in pages)
            for turn, page in enumerate(pages):
                page.say(op="range", ranges={"x0": [turn, 10]})
            last: list[Any] = []
            for page in pages:
                told = [page.push("set") for _ in pages]
                assert [each["sequence"] for each in told] == sorted(each["sequence"] for each in told)
                last.append(told[-1]["ranges"])
            assert last[0] == last[1] == last[2]
