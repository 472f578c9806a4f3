"""Answers that are given again from their bytes: what they are, what ends them, and for whom they hold.

Beyond these, every test that asks a server for a tile asks twice (see `Running.get`).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import pytest

from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.spec import Document
from bigviz.server.http.layers import Tiles
from bigviz.server.kept import kept_answers
from bigviz.server.limits import Limits

from ...patience import PATIENCE, until
from ..people import People
from ..running import Gated, Running, deadline, running, unread

TILE = "/points/layers/0/tiles/1/0/1"
OTHER = "/points/layers/0/tiles/1/1/0"
SECRET = "/secret/layers/0/tiles/1/0/1.png"
OTHER_SECRET = "/secret/layers/0/tiles/1/1/0.png"


class Wire:
    """A connection that is kept, whose requests and answers are bytes, to a server that has opened its documents."""

    def __init__(self, server: Running, source: str = "127.0.0.1") -> None:
        server.await_event("loaded")
        self._socket = socket.create_connection(("127.0.0.1", server.server.port), PATIENCE, (source, 0))
        self._host = f"127.0.0.1:{server.server.port}"
        self._read, self.date = b"", ""

    def request(self, path: str, method: str = "GET", version: str = "1.1", **headers: str) -> bytes:
        given = {"Host": self._host, **headers}
        lines = [f"{method} {path} HTTP/{version}", *(f"{k.replace('_', '-')}: {v}" for k, v in given.items()), "", ""]
        return "\r\n".join(lines).encode()

    def ask(self, path: str, **how: Any) -> tuple[int, dict[str, str], bytes]:
        self.send(self.request(path, **how))
        return self.answer(how.get("method") != "HEAD")

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def answer(self, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
        """Status, headers but for the date, and body of the next answer."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        size = int(headers.get("Content-Length", 0)) if has_body and not first.startswith("HTTP/1.1 304") else 0
        while len(self._read) < size:
            self._more()
        body, self._read = self._read[:size], self._read[size:]
        self.date = headers.pop("Date", "")
        return int(first.split(" ")[1]), headers, body

    def _more(self) -> None:
        found = self._socket.recv(1 << 20)
        assert found, "the server has closed the connection"
        self._read += found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module", autouse=True)
def _known_for_long() -> Iterator[None]:
    """What is known of people is looked up anew after a minute, and answers with it: here, only when it changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bigviz.server.access.people._SECONDS_KEPT", 1e9)
        yield


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tiles that came to their handler."""
    found: list[str] = []
    prepare = Tiles.prepare

    async def noted(self: Tiles) -> None:
        found.append(str(self.request.uri))
        await prepare(self)

    monkeypatch.setattr(Tiles, "prepare", noted)
    return found


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, documents: list[Document]) -> Iterator[tuple[Running, People]]:
    """A server whose library has people."""
    people = People.at(tmp_path_factory.mktemp("library"))
    with people.library, running(documents[:1], library=people.library) as server:
        yield server, people


@pytest.mark.parametrize("name", ["png", "png?cmap=bgy", "npy", "arrow", "npy?agg=mean(value)"])
def test_the_same_request_gets_the_same_answer_without_its_handler(served: Running, handled: list[str], name: str):
    with closing(Wire(served)) as wire:
        first = wire.ask(f"{TILE}.{name}")
        again = [wire.ask(f"{TILE}.{name}") for _ in range(3)]
        assert first[0] == 200 and len(first[2]) > 100 and again == [first] * 3
        known = {"If_None_Match": first[1]["Etag"]}
        same = [wire.ask(f"{TILE}.{name}", **known) for _ in range(3)]
        assert same[0][0] == 304 and same[0][1]["Etag"] == first[1]["Etag"] and same == same[:1] * 3
        assert len(handled) == 2, "one of each"
        assert abs(parsedate_to_datetime(wire.date).timestamp() - time.time()) < PATIENCE
        assert wire.ask(f"{TILE}.{name}", method="HEAD")[1] == first[1]


@pytest.mark.parametrize("name", ["png", "png?cmap=bgy", "npy", "arrow", "npy?agg=mean(value)", "npy?agg=by(label)"])
def test_another_tile_is_made_without_its_handler_and_is_the_one_that_it_makes(
    served: Running, handled: list[str], name: str
):
    places = ["2/1/2", "2,1/3/0", "0/0/0", "24/0/0", "2/0/1"]
    addresses = [f"/points/layers/0/tiles/{place}.{name}" for place in places]
    with closing(Wire(served)) as wire, closing(Wire(served)) as other:
        wire.ask(addresses[0], X_Test="model")
        found = [wire.ask(address, X_Test="model") for address in addresses]
        assert len(handled) == 1 and {status for status, _, _ in found} == {200}
        served.on_loop(served.engine._tiles.clear)
        assert [wire.ask(address, X_Test="model") for address in addresses] == found and len(handled) == 1
        served.on_loop(served.engine._tiles.clear)
        alone = [other.ask(address, X_Test=str(number)) for number, address in enumerate(addresses)]
        assert alone == found and len(handled) == 1 + len(addresses), "each in words of its own"
        known = {"If_None_Match": found[1][1]["Etag"]}
        assert wire.ask(addresses[1], X_Test="model", **known)[0] == 304


def test_a_body_that_was_made_anew_with_another_length_is_not_sent_under_the_old_one(served: Running):
    with closing(Wire(served)) as wire:
        status, headers, body = wire.ask(f"{TILE}.png")
        name = headers["Etag"].strip('"')
        served.on_loop(partial(served.engine.keep_body, name, body[:-7]))
        assert (status, wire.ask(f"{TILE}.png")[2]) == (200, body[:-7])
        served.on_loop(partial(served.engine.keep_body, name, body))
        assert wire.ask(f"{TILE}.png") == (status, headers, body)


def test_a_place_that_its_level_does_not_have_is_refused_by_the_handler(served: Running, handled: list[str]):
    refused = ["25/0/0", "1/2/0", "1/0/2", "1,25/0/0", "1/9999999999/0"]
    with closing(Wire(served)) as wire:
        wire.ask(f"{TILE}.npy")
        del handled[:]
        for place in refused:
            assert wire.ask(f"/points/layers/0/tiles/{place}.npy")[0] == 404
        assert len(handled) == len(refused)


def test_another_tile_under_a_condition_is_answered_by_the_handler(served: Running, handled: list[str]):
    with closing(Wire(served)) as wire:
        tag = wire.ask(f"{OTHER}.npy")[1]["Etag"]
        del handled[:]
        for condition in ({"If_None_Match": tag}, {"If_None_Match": f'"x", {tag}'}):
            assert wire.ask(f"{TILE}.npy", **condition)[0] == 200
            assert wire.ask(f"{OTHER}.npy", **condition)[0] == 304
        assert wire.ask(f"{TILE}.npy", If_Match="*")[0] == wire.ask(f"{OTHER}.npy", If_Match="*")[0] == 200
        assert len(handled) == 6


def test_another_tile_is_paid_for(documents: list[Document], handled: list[str]):
    limits = Limits(requests_burst=3, requests_per_second=0.001)
    with running(documents[:1], limits=limits) as server, closing(Wire(server)) as wire:
        found = [wire.ask(f"/points/layers/0/tiles/3/{i}/4.npy")[0] for i in range(5)]
        assert found == [200] * 3 + [429] * 2 and len(handled) == 3


def test_a_tile_whose_client_is_gone_is_given_up_and_holds_nothing(documents: list[Document], handled: list[str]):
    engine = Gated()
    with running(documents[:1], engine) as server:
        site = server.server.site
        with closing(Wire(server)) as wire:
            assert wire.ask(f"{TILE}.npy")[0] == 200
            engine.open.clear()
            wire.send(wire.request(f"{OTHER}.npy"))
            engine.await_(lambda: len(engine.reached) == 2)
            assert server.on_loop(lambda: (len(site.in_hand), site.budget.held > 0)) == (1, True)
        engine.await_(lambda: len(engine.cancelled) == 1)
        wait = deadline(PATIENCE)
        while server.on_loop(lambda: site.in_hand or site.budget.held) and wait():
            pass
        assert not site.in_hand and site.budget.held == 0 and len(handled) == 1
        engine.open.set()
        with closing(Wire(server)) as wire:
            assert wire.ask(f"{OTHER}.npy")[0] == 200 and len(handled) == 1


def test_facts_of_a_layer_that_is_ready_are_not_asked_for(
    documents: list[Document], handled: list[str], monkeypatch: pytest.MonkeyPatch
):
    """Each time a thread would be waited for."""
    by = next(each for each in documents if each.id == "by")
    with running([documents[0], by]) as server, closing(Wire(server)) as wire:
        server.await_event("built")
        for name in ("points", "by"):
            assert wire.ask(f"/{name}/layers/0/tiles/0/0/0.npy")[0] == 200
        asked: list[object] = []
        info = server.engine.info
        monkeypatch.setattr(server.engine, "info", lambda *what: asked.append(what) or info(*what))
        for name in ("points", "by"):
            for kind in ("npy", "png"):
                paths = [f"/{name}/layers/0/tiles/2/{i}/1.{kind}" for i in range(3)]
                assert [wire.ask(path, X=str(number))[0] for number, path in enumerate(paths)] == [200] * 3
        assert not asked and len(handled) == 14


def test_other_connections_get_it_too_and_each_pays(documents: list[Document], handled: list[str]):
    limits = Limits(requests_burst=5, requests_per_second=0.001)
    with running(documents[:1], limits=limits) as server:
        with closing(Wire(server)) as one, closing(Wire(server)) as other, closing(Wire(server, "127.0.0.2")) as third:
            found = [wire.ask(f"{TILE}.npy")[0] for wire in (one, other, one, other, one, other)]
            assert (found, len(handled)) == ([200] * 5 + [429], 2), "the refusal is its handler's"
            assert third.ask(f"{TILE}.npy")[0] == 200 and len(handled) == 2
        count = 'bigviz_http_requests_total{route="tiles",status="200"} 6.0'
        assert count in server.on_loop(server.server.site.metrics.text).decode()
        assert len([1 for name, facts in server.events if name == "request" and facts["route"] == "tiles"]) == 7


def test_requests_that_come_together_are_answered_in_turn(served: Running, handled: list[str]):
    with closing(Wire(served)) as wire:
        names = ["png", "npy", "png", "arrow", "npy", "png", "arrow"]
        wanted = {name: wire.ask(f"{TILE}.{name}") for name in set(names)}
        del handled[:]
        health = wire.request("/healthz")
        wire.send(b"".join(wire.request(f"{TILE}.{name}") + health for name in names))
        found = []
        for _ in names:
            found.append(wire.answer())
            assert wire.answer()[0] == 200
        assert found == [wanted[name] for name in names] and handled == []


OTHERS: dict[str, tuple[dict[str, Any], int]] = {
    "another host": ({"Host": "evil.example"}, 403),
    "no host": ({"Host": ""}, 403),
    "a page of another origin": ({"Origin": "http://evil.example"}, 403),
    "a wrong token": ({"Authorization": "Bearer " + "x" * 43}, 401),
    "a version that is gone": ({"If_Match": '"other"'}, 412),
    "another method": ({"method": "POST", "Content_Length": "0"}, 405),
    "a question before a request": ({"method": "OPTIONS", "Origin": "http://evil.example"}, 405),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_request_that_differs_is_answered_by_its_handler(served: Running, name: str):
    how, status = OTHERS[name]
    with closing(Wire(served)) as wire:
        assert wire.ask(f"{TILE}.png")[0] == wire.ask(f"{TILE}.png")[0] == 200
        assert [wire.ask(f"{TILE}.png", **how)[0] for _ in range(2)] == [status] * 2
        assert wire.ask(f"{TILE}.png")[0] == 200


def test_requests_that_end_their_connection_or_have_a_body_are_not_kept(served: Running, handled: list[str]):
    for _ in range(2):
        with closing(Wire(served)) as wire:
            assert wire.ask(f"{TILE}.png", Connection="close")[0] == 200
    with closing(Wire(served)) as wire:
        for _ in range(2):
            wire.send(wire.request(f"{TILE}.png", Content_Length="3") + b"abc")
            assert wire.answer()[0] == 200
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kept_answers, "_LONGEST", 1_000)
            assert [wire.ask(f"{TILE}.png", X="a" * 1_000)[0] for _ in range(2)] == [200] * 2
    assert len(handled) == 6


def after(server: Running, wire: Wire, handled: list[str], change: Callable[[], object], **headers: str) -> int:
    """The status of a request that was answered from its bytes, and is now answered by its handler."""

    def is_kept() -> bool:
        del handled[:]
        assert wire.ask(SECRET, **headers)[0] == wire.ask(OTHER_SECRET, **headers)[0] == 200
        return not handled

    until(is_kept)
    change()
    status = wire.ask(OTHER_SECRET, **headers)[0]
    assert wire.ask(SECRET, **headers)[0] == status and len(handled) == 2
    return status


def test_what_takes_the_right_from_somebody_ends_their_answers(closed: tuple[Running, People], handled: list[str]):
    server, people = closed
    library, token = people.library, people.bearer("viewer")
    taken = {"owner": "owner"}
    spare = library.tokens.create("owner", "read", 1)
    given = {"Authorization": f"Bearer {spare[1]}"}
    session = library.sessions.create("owner")
    cookie = {"Cookie": f"bigviz-{server.server.port}={session}"}
    with closing(Wire(server)) as wire:
        forbid = partial(library.access.set, "document", "secret", False, taken)
        assert after(server, wire, handled, forbid, **token) == 404
        people.restore()
        assert after(server, wire, handled, lambda: library.tokens.revoke(spare[0].id), **given) == 401
        assert after(server, wire, handled, lambda: library.sessions.end(session), **cookie) == 401
        assert after(server, wire, handled, lambda: library.documents.delete("secret"), **people.bearer("admin")) == 404
        people.restore()
        assert after(server, wire, handled, lambda: library.users.remove("writer"), **people.bearer("writer")) == 401


def test_a_token_that_expires_ends_its_answers(
    closed: tuple[Running, People], handled: list[str], monkeypatch: pytest.MonkeyPatch
):
    server, people = closed
    token = {"Authorization": f"Bearer {people.library.tokens.create('owner', 'read', 1)[1]}"}
    now = time.time
    with closing(Wire(server)) as wire:
        later = partial(monkeypatch.setattr, time, "time", lambda: now() + 86_401)
        assert after(server, wire, handled, later, **token) == 401


def test_a_user_pays_for_their_answers_wherever_they_come_from(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document]
):
    people = People.at(tmp_path_factory.mktemp("library"))
    limits = Limits(requests_burst=6, requests_per_second=0.001)
    with people.library, running(documents[:1], library=people.library, limits=limits) as server:
        token = people.bearer("viewer")
        with closing(Wire(server)) as one, closing(Wire(server, "127.0.0.2")) as other:
            found = [wire.ask(SECRET, **token)[0] for wire in (one, other) * 4]
        assert found == [200] * 6 + [429] * 2


def test_the_newest_data_is_what_is_answered(documents: list[Document], dataset: Any, handled: list[str]):
    with running(documents[:1]) as server, closing(Wire(server)) as wire:
        first = [wire.ask(f"{TILE}.npy") for _ in range(3)]
        assert first == first[:1] * 3 and len(handled) == 1
        mean = document(figure(title="Points").points(dataset, "x", "y", agg="mean(value)"), id="points")
        server.on_loop(lambda: server.server.publish([mean]))
        now = [wire.ask(f"{TILE}.npy") for _ in range(3)]
        assert now == now[:1] * 3 and now[0][2] != first[0][2] and len(handled) == 2
        server.on_loop(server.engine._tiles.clear)
        assert wire.ask(f"{TILE}.npy") == now[0], "its bytes were not kept any more"
        server.on_loop(lambda: server.server.publish(documents[:1]))
        wire.ask(f"{OTHER}.npy")
        assert wire.ask(f"{TILE}.npy") == first[0] and len(handled) == 3


def test_a_full_budget_is_told_by_the_handler(documents: list[Document], handled: list[str]):
    with running(documents[:1]) as server, closing(Wire(server)) as wire:
        budget = server.server.site.budget
        assert wire.ask(f"{TILE}.npy")[0] == wire.ask(f"{TILE}.npy")[0] == 200
        server.on_loop(lambda: budget.admit(budget.most))
        assert wire.ask(f"{TILE}.npy")[0] == wire.ask(f"{OTHER}.npy")[0] == 503 and len(handled) == 3
        server.on_loop(lambda: budget.release(budget.most))
        assert wire.ask(f"{TILE}.npy")[0] == wire.ask(f"{OTHER}.npy")[0] == 200 and len(handled) == 3
        assert server.on_loop(lambda: budget.held) == 0


def test_what_a_trusted_proxy_says_is_believed_of_it_alone(documents: list[Document], handled: list[str]):
    """The operator's request, in the words of one that a proxy passed on: nobody is let in by its answer."""
    forwarded = {"X_Forwarded_For": "127.0.0.1"}
    with (
        running(documents[:1], trusted_proxies=["127.0.0.2"], allow_anonymous=False) as server,
        closing(Wire(server)) as near,
        closing(Wire(server, "127.0.0.2")) as proxy,
    ):
        assert [near.ask(f"{TILE}.npy")[0] for _ in range(3)] == [200] * 3 and len(handled) == 1
        assert [proxy.ask(f"{TILE}.npy")[0] for _ in range(2)] == [401] * 2 and len(handled) == 3
        assert [wire.ask(f"{TILE}.npy", **forwarded)[0] for wire in (proxy, near) * 2] == [401] * 4
    with running(documents[:1], trusted_proxies=["127.0.0.2"], allow_anonymous=True) as server:
        del handled[:]
        client = {"X_Forwarded_For": "203.0.113.9"}
        with closing(Wire(server)) as near, closing(Wire(server, "127.0.0.2")) as proxy:
            assert [proxy.ask(f"{TILE}.npy", **client)[0] for _ in range(3)] == [200] * 3 and len(handled) == 1
            rates = server.server.site.access.requests
            assert set(rates._buckets) == {"203.0.113.9"}, "who asked pays, and not the proxy"
            assert near.ask(f"{TILE}.npy", **client)[0] == 200 and len(handled) == 2


def test_people_whom_a_function_vouches_for_are_asked_about_each_time(documents: list[Document], handled: list[str]):
    options = {"trusted_proxies": ["127.0.0.1"], "auth_header": "X-User"}
    with running(documents[:1], **options) as server, closing(Wire(server)) as wire:
        assert [wire.ask(f"{TILE}.npy", X_User="ada")[0] for _ in range(3)] == [200] * 3 and len(handled) == 3


def test_a_connection_too_many_gets_no_tile(documents: list[Document]):
    with running(documents[:1], limits=Limits(connections_per_address=1)) as server, closing(Wire(server)) as wire:
        assert [wire.ask(f"{TILE}.npy")[0] for _ in range(2)] == [200] * 2
        with closing(Wire(server)) as other:
            assert other.ask(f"{TILE}.npy")[0] == 503
        assert wire.ask(f"{TILE}.npy")[0] == 200


def test_a_client_that_does_not_read_is_cut_off_and_holds_nothing(documents: list[Document], handled: list[str]):
    path = "/by/layers/0/tiles/0/0/0.npy"
    by = next(each for each in documents if each.id == "by")
    with running([by]) as server:
        with closing(Wire(server)) as wire:
            assert len(wire.ask(path)[2]) == 3 * 4 * 65_536 + 128 and wire.ask(path)[0] == 200
        server.server._http._limits = server.server.site.limits = Limits(write_seconds=0.2)
        with unread(server, path) as connection:
            connection.sendall(wire.request(path) * 20)
            server.await_event("request", route="tiles", status=200)
            wait = deadline(PATIENCE)
            while server.on_loop(lambda: server.server._http._open("127.0.0.1")) and wait():
                pass
        assert server.server.site.budget.held == 0 and len(handled) <= 2


def test_old_answers_are_forgotten(documents: list[Document], handled: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_answers, "_MOST_BYTES", 5_000)
    monkeypatch.setattr(kept_answers, "_MOST_MODELS", 1)
    with running(documents[:1]) as server, closing(Wire(server)) as wire:
        paths = [f"{TILE}.npy?low={number}" for number in range(5)]
        assert [wire.ask(path)[0] for path in paths + paths] == [200] * 10 and len(handled) == 10
        kept = server.server.site.kept_answers
        assert 0 < kept._bytes <= 5_000 and len(kept._answers) < 5
        assert wire.ask(paths[-1])[0] == 200 and len(handled) == 10


def test_a_library_that_cannot_be_asked_is_the_handlers_matter(
    documents: list[Document], handled: list[str], monkeypatch: pytest.MonkeyPatch
):
    def failed() -> object:
        raise RuntimeError("the disk is gone")

    with running(documents[:1]) as server, closing(Wire(server)) as wire:
        assert wire.ask(f"{TILE}.npy")[0] == wire.ask(f"{TILE}.npy")[0] == 200
        monkeypatch.setattr(server.server.site.people, "mark", failed)
        assert wire.ask(f"{TILE}.npy")[0] == 500
