"""Pictures before and after an index is complete: colours are chosen by a sample first, later by all cells of a level,
and an ETag stands for one of both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bigviz.document.spec import Document
from bigviz.tiles import layer_factory
from bigviz.tiles.answers import level_sample
from bigviz.tiles.interface import TileKey

from ...patience import until
from ..running import Gated, Running, asked, running
from .test_kept_answers import Wire

L = "/points/layers/0/tiles"
TILE = f"{L}/4/8/8.png"  # of a level whose tiles are too many to be read for its colours
OTHER = f"{L}/4/7/8.png"


class Held(Gated):
    """An engine that answers from the rows in order until its builds are let go."""

    def __init__(self) -> None:
        super().__init__(preview_rows=1_000)
        self.complete = threading.Event()

    def sources(self) -> set[str]:
        with self.layers.store._lock:
            return {layer.level_source for layer in self.layers.store._layers.values()}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Held:
    held, complete = Held(), layer_factory.complete

    def completed(pyramid: Any, crew: Any, turns: Any) -> None:
        crew.progress("held", 0.5, 0)
        held.pass_gate(held.complete, crew.cancel, lambda: None)
        complete(pyramid, crew, turns)

    monkeypatch.setattr(layer_factory, "complete", completed)
    monkeypatch.setattr(level_sample, "_LOOKS", 3)
    monkeypatch.setattr(level_sample, "_A_LOOK", 40)
    return held


@pytest.fixture
def building(documents: list[Document], engine: Held) -> Iterator[Running]:
    with running(documents[:1], engine) as server:
        try:
            yield server
        finally:
            engine.complete.set()


def finish(engine: Held) -> None:
    """Let builds go, and wait for them."""
    engine.complete.set()
    until(lambda: engine.sources() == {"summary"})


def get(server: Running, path: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, ETag and body, of one request."""
    connection = server.connection()
    with closing(connection):
        answer = asked(connection, path, "GET", None, headers)
    return answer.status, answer.headers["Etag"], answer.body


@pytest.mark.parametrize("end", ["", "?how=eq_hist&cmap=gray", "@2x.png"])
def test_an_etag_stands_for_the_colours_of_one_source(
    documents: list[Document], engine: Held, building: Running, end: str
):
    tile, other = (path.removesuffix(".png") + end if "@" in end else path + end for path in (TILE, OTHER))
    status, early, rough = get(building, tile)
    assert status == 200 and engine.sources() == {"sample"}
    assert get(building, tile) == (200, early, rough) and get(building, tile, If_None_Match=early)[:2] == (304, early)
    finish(engine)
    status, late, fine = get(building, tile, If_None_Match=early)
    assert status == 200 and late != early and fine != rough
    assert get(building, tile) == (200, late, fine) and get(building, tile, If_None_Match=late)[:2] == (304, late)
    assert get(building, tile, If_None_Match=early)[0] == 200, "asked before, in the same words"
    with running(documents[:1]) as oracle:
        assert get(oracle, tile) == (200, late, fine)
        assert get(building, other) == get(oracle, other), "and so the neighbour joins"


def test_connections_that_are_kept_notice_it_too(engine: Held, building: Running):
    """Neither an answer from its bytes nor one that is made as another was is of the source before."""
    with closing(Wire(building)) as wire:
        first = wire.ask(TILE)
        known = {"If_None_Match": first[1]["Etag"]}
        assert wire.ask(TILE) == first and wire.ask(TILE, **known)[0] == wire.ask(TILE, **known)[0] == 304
        finish(engine)
        assert wire.ask(TILE, **known)[0] == 200
        beside, again = wire.ask(OTHER), wire.ask(TILE)
        assert again[1]["Etag"] != first[1]["Etag"] and again[2] != first[2]
        assert (200, beside[1]["Etag"], beside[2]) == get(building, OTHER)


@pytest.mark.parametrize("alike", [False, True])
def test_a_build_that_ends_while_a_tile_is_drawn(engine: Held, building: Running, alike: bool):
    """The answer has the ETag of the colours that it came out with, whether a handler or a model's likeness made it."""
    with closing(Wire(building)) as wire:
        early = wire.ask(OTHER if alike else f"{L}/4/8/7.png?cmap=bgy")
        seen = len(engine.reached)
        engine.open.clear()
        wire.send(wire.request(TILE))
        engine.await_(lambda: len(engine.reached) > seen)
        finish(engine)
        engine.open.set()
        status, headers, body = wire.answer()
    assert early[0] == status == 200
    assert get(building, TILE) == (200, headers["Etag"], body)
    building.on_loop(engine._tiles.clear)
    assert get(building, TILE) == (200, headers["Etag"], body), "drawn anew"


def test_if_match_of_the_sample_is_refused_when_the_build_ends_meanwhile(engine: Held, building: Running):
    _, early, _ = get(building, TILE)
    building.on_loop(engine._tiles.clear)
    with closing(Wire(building)) as wire:
        engine.open.clear()
        wire.send(wire.request(TILE, If_Match=early))
        engine.await_(lambda: engine.reached.count(TileKey(4, 4, 8, 8)) > 1)
        finish(engine)
        engine.open.set()
        assert wire.answer()[0] == 412


@pytest.mark.parametrize(
    ("query", "stays"),
    [
        ("how=linear&low=1&high=9", True),
        ("how=log&agg=mean(value)&low=1&high=2", True),
        ("agg=any", True),
        ("how=linear&low=1", False),
        ("how=eq_hist&low=1&high=9", False),
        ("how=cbrt&agg=max(n)&low=1&high=9", False),  # whole numbers may be too large for floats
    ],
)
def test_where_no_other_tile_has_a_say_the_etag_stays(engine: Held, building: Running, query: str, stays: bool):
    _, early, rough = get(building, f"{TILE}?{query}")
    finish(engine)
    status, late, _ = get(building, f"{TILE}?{query}", If_None_Match=early)
    assert (status, late == early) == ((304, True) if stays else (200, False))
    assert get(building, f"{TILE}?{query}")[2] == rough or not stays


def test_a_layer_that_memory_holds_no_more_is_not_built_for_a_304(engine: Held, building: Running):
    engine.complete.set()
    get(building, TILE)
    finish(engine)
    with closing(Wire(building)) as wire:
        _, headers, body = wire.ask(TILE)
        before = engine.builds
        for key in list(engine.layers.store._layers):
            building.on_loop(lambda key=key: engine.layers.store.drop(key))
        for path in (TILE, f"{TILE}?"):  # from its bytes, and by its handler
            assert wire.ask(path, If_None_Match=headers["Etag"])[0] == 304 and wire.ask(path)[2] == body
        assert engine.builds == before


def test_a_server_that_has_drawn_nothing_yet_knows_the_tag(documents: list[Document], engine: Held, building: Running):
    engine.complete.set()
    get(building, TILE)
    finish(engine)
    _, tag, _ = get(building, TILE)
    with running(documents[:1]) as later:
        assert get(later, TILE, If_None_Match=tag)[0] == 304
