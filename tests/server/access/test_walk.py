"""A walk of all routes and kinds of messages as everybody, against the tables of docs/access.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tornado.web import Application
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bigviz.library.library import Library
from bigviz.server.access.credentials import Credentials
from bigviz.server.access.gate import needs_of
from bigviz.server.access.people import People as Watch
from bigviz.server.http.base import Guarded
from bigviz.server.websocket.requests import KINDS
from bigviz.wire.frames import parse

from ...patience import PATIENCE
from ..people import DOCUMENT, People
from ..running import Running, running

PAGE = Path(__file__).parents[3] / "docs" / "access.md"
COLUMNS = (
    "nobody", "wrong token", "expired token", "anyone", "stranger", "viewer", "writer", "owner", "admin", "operator",
)  # fmt: skip
PLACES = {
    "D": "secret",
    "L": "0",
    "Z": "0",
    "I": "0",
    "J": "0",
    "N": "0",
    "NAME": "table",
    "SECRET": "x" * 43,
    "NEW": "new",
    "USER": "viewer",
}
LET_IN = 299


@dataclass(frozen=True)
class Row:
    """A line of a table: code spans of its first cell, and what each principal gets."""

    spans: tuple[str, ...]
    cells: dict[str, str]


def rows(head: str) -> list[Row]:
    """The lines of the table whose first column has this head."""
    lines = PAGE.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {head} | nobody"))
    assert cells(lines[start])[1:] == list(COLUMNS)
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        first, *rest = cells(line)
        found.append(Row(tuple(re.findall(r"`([^`]+)`", first)), dict(zip(COLUMNS, rest, strict=True))))
    return found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


ROUTES = [
    (method, path, row.cells)
    for row in rows("route")
    for method in row.spans
    if not method.startswith("/")
    for path in row.spans
    if path.startswith("/")
]
MESSAGES = [(op, row.cells) for row in rows("message") for op in row.spans]


def address(path: str) -> str:
    """The path with the names of this library in it."""
    return "/".join(
        ".".join([PLACES.get(part.partition(".")[0], part.partition(".")[0]), *part.split(".")[1:]])
        for part in path.split("/")
    )


@pytest.fixture(scope="module", autouse=True)
def _answer_at_the_gate() -> Iterator[None]:
    """What the gate lets in is answered there, and no handler does anything; nobody watches the sockets."""
    gate = Guarded.prepare

    async def prepare(self: Guarded) -> None:
        await gate(self)
        if not self._finished and self.request.headers.get("X-Walk") is not None:
            self.set_status(LET_IN, "Let in")
            self.finish()

    async def watch(self: Watch, guests: object) -> None:
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Guarded, "prepare", prepare)
        patch.setattr(Watch, "watch", watch)
        yield


@dataclass
class Town:
    """Three servers of one document and dataset: with people, the same for anyone, and without people."""

    people: People
    closed: Running
    open: Running
    alone: Running

    def server(self, who: str) -> Running:
        return {"anyone": self.open, "operator": self.alone}.get(who, self.closed)

    def headers(self, who: str) -> dict[str, str]:
        if who in ("nobody", "anyone", "operator"):
            return {}
        return self.people.bearer(who)


def with_table(library: Library, directory: Path, owner: str | None) -> None:
    """Put a dataset into a library, whose content nobody looks at."""
    with library.datasets.begin() as upload:
        upload.write(b"ARROW1")
        upload.close()
        library.datasets.add("table", upload, rows=0, columns=[], format="arrow", owner=owner)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, documents) -> Iterator[Town]:
    people = People.at(tmp_path_factory.mktemp("people"))
    with_table(people.library, tmp_path_factory.mktemp("upload"), "owner")
    people.library.access.set("dataset", "table", False, {"viewer": "viewer", "writer": "writer"})
    people.tokens["wrong token"] = "x" * 43
    people.tokens["expired token"] = people.library.tokens.create("owner", "admin", 1e-9)[1]
    with Library.open(tmp_path_factory.mktemp("alone")) as empty, people.library:
        empty.documents.put("secret", DOCUMENT, title="Secret", datasets=["rows"], author=None)
        with_table(empty, tmp_path_factory.mktemp("upload"), None)
        with (
            running(documents[:1], library=people.library) as closed,
            running(documents[:1], library=people.library, allow_anonymous=True) as open_,
            running(documents[:1], library=empty) as alone,
        ):
            yield Town(people, closed, open_, alone)


def upgrade(path: str) -> dict[str, str]:
    return {"Upgrade": "websocket"} if path.endswith("/ws") else {}


@pytest.mark.parametrize("who", COLUMNS)
def test_each_route_as_everybody(town: Town, who: str):
    server = town.server(who)
    for method, path, row in ROUTES:
        headers = {**town.headers(who), **upgrade(path), "X-Walk": "1", "Origin": server.url.rstrip("/")}
        body = b"" if method != "GET" else None
        answer = server.get(address(path), method, body, **headers)
        if row[who] == "login":
            assert answer.status == 302 and answer.headers["Location"].lstrip("./").startswith("_/login"), path
            asked = server.get(address(path), method, body, **headers, Accept="application/json")
            assert asked.status == 401, path
        else:
            expected = LET_IN if row[who] == "yes" else int(row[who])
            assert answer.status == expected, (method, path, answer.body)


def rules(server: Running) -> list[tuple[str, re.Pattern[str], type]]:
    """The method, pattern and handler of each rule of an application."""
    app: Application = server.server._http.request_callback
    found = []
    for rule in app.wildcard_router.rules:
        target: Any = rule.target
        found += [(method, rule.matcher.regex, target) for method in needs_of(target) if method != "HEAD"]
    return found


def test_the_table_has_each_route(town: Town):
    """Each rule of the server, with each method that it answers, is what some row's address leads to."""
    known = rules(town.closed)
    reached = set()
    for method, path, _ in ROUTES:
        rule = next(each for each in known if each[1].match(address(path).partition("?")[0]))
        reached.add((method, rule[1].pattern))
    assert {(method, regex.pattern) for method, regex, _ in known} == reached


def test_the_table_has_each_message():
    assert sorted(op for op, _ in MESSAGES) == sorted(KINDS)


BODIES: dict[str, dict[str, Any]] = {
    "layer": {"layer": 0, "definition": {}},
    "view": {"layers": []},
    "cancel": {},
    "follow": {"versions": {}, "figures": []},
    "brush": {"definition": {}, "seq": 1, "targets": []},
    "control": {"control": "fare", "value": 1},
    "range": {"ranges": {"x0": [0, 1]}},
    "selection": {"figure": "f0", "selection": None},
}


def test_the_walk_sends_each_message():
    assert BODIES.keys() == KINDS.keys()


@pytest.mark.parametrize("who", COLUMNS)
def test_each_message_as_everybody(town: Town, who: str):
    """The socket was opened by somebody who may, who then became somebody else."""
    for op, row in MESSAGES:
        assert sent(town, op, who) == row[who], op


def sent(town: Town, op: str, who: str) -> str:
    """What comes of a message."""
    server = town.server(who)
    opener = {} if who == "operator" else town.people.bearer("viewer")
    socket = connect(
        f"{server.url.replace('http', 'ws', 1)}secret/ws", origin=server.url.rstrip("/"), additional_headers=opener
    )
    with socket as found:
        await_viewer(server)
        (viewer,) = server.server.site.viewers
        token = town.headers(who).get("Authorization", "").removeprefix("Bearer ") or None
        viewer.credentials = Credentials("127.0.0.1", local=who == "operator", token=token)
        figure = {} if op in ("follow", "control", "range", "selection") else {"figure": 0}
        found.send(json.dumps({"op": op, "id": 7, **figure, **BODIES[op]}))
        outcome = outcome_of(found)
    server.await_event("disconnected")
    server.events.clear()
    return outcome


def await_viewer(server: Running) -> None:
    server.await_event("connected")


def outcome_of(found: Any) -> str:
    """`yes` for an answer to the message, or to the next one where it has none; or the code of the socket's closing."""
    try:
        found.send(json.dumps({"op": "view", "id": 8, "figure": 99, "layers": []}))
        while parse(found.recv(PATIENCE)).request not in (7, 8):
            pass
    except ConnectionClosed as end:
        return str(end.rcvd.code if end.rcvd else None)
    return "yes"
