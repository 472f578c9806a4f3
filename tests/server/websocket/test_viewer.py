"""A viewer without a socket: texts in, frames out."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa

import bigviz as bv
from bigviz.server.access.credentials import Credentials
from bigviz.server.access.hosts import Hosts
from bigviz.server.access.principal import Principal
from bigviz.server.documents.opened import Opened, Shown
from bigviz.server.http.layer_bodies import LayerBodies
from bigviz.server.jobs.service import Backend
from bigviz.server.jobs.usage import Usage
from bigviz.server.limits import Limits
from bigviz.server.site import Site
from bigviz.server.websocket.viewer import Viewer
from bigviz.tiles.engine import Engine
from bigviz.wire.codec import decode
from bigviz.wire.frames import GONE, UNREAD, Frame, Reassembler, Type, parse, read_json
from bigviz.wire.tiles import TileMessage, read_tile

from ...patience import PATIENCE

OPERATOR = Principal("", None, True, kind="operator")


class Channel:
    """Keeps what the viewer sends; `slow` takes nothing in."""

    gone = ConnectionError

    def __init__(self, slow: bool = False) -> None:
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.writes = self.left = 0
        self.ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.slow = slow

    def send_frames(self, frames: list[list[bytes]]) -> asyncio.Future[None]:
        self.writes += 1
        for pieces in frames:
            self.frames.put_nowait(parse(b"".join(pieces)))
            self.left += sum(map(len, pieces)) * self.slow
        taken = asyncio.get_running_loop().create_future()
        if not self.slow:
            taken.set_result(None)
        return taken

    def unread(self) -> int:
        return self.left

    def cut_off(self) -> None:
        self.ended.set_result((0, ""))

    def hang_up(self, code: int, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result((code, reason))

    async def until(self, kind: Type) -> list[Frame]:
        """Frames up to and with the first of a kind."""
        got = [await self.frames.get()]
        while got[-1].type != kind:
            got.append(await self.frames.get())
        return got


def site_of(limits: Limits) -> Site:
    table = pa.table({"x": np.arange(1_000.0), "y": np.arange(1_000.0) % 7})
    document = bv.document(bv.figure(title="Rows").points(table, "x", "y"), id="rows")
    site = Site(Hosts.of("127.0.0.1", 0), limits=limits)
    site.publish([document], Backend(Engine(1 << 20), limits, site.metrics), LayerBodies())
    return site


def looking(test, limits: Limits = Limits(), slow: bool = False, name: str = "rows") -> None:  # noqa: B008
    async def run() -> None:
        site = site_of(limits)
        channel = Channel(slow)
        viewer = Viewer(site, name, Credentials("", local=True), OPERATOR, channel)
        viewer.open()
        try:
            await asyncio.wait_for(test(site, viewer, channel), PATIENCE)
        finally:
            viewer.closed()
            site.loaded.close()
            site.close()

    asyncio.run(run())


def definition_of(hello: dict) -> dict[str, str]:
    spec = hello["document"]["layout"]["layers"][0]
    definition = {name: spec[name] for name in ("dataset", "glyph", "x", "y", "agg", "root")}
    return definition | {"xaxis": "linear", "yaxis": "linear"}


def test_hello_a_layer_and_a_view():
    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        (hello,) = await channel.until(Type.HELLO)
        value, _ = read_json(Reassembler().add(hello) or [])
        definition = definition_of(value)
        await viewer.receive(json.dumps({"op": "layer", "id": 1, "figure": 0, "layer": 0, "definition": definition}))
        facts, _ = read_json(Reassembler().add((await channel.until(Type.LAYER))[-1]) or [])
        assert facts["rows"] == 1_000
        wanted = [{"layer": 0, "definition": definition, "tiles": [[0, 0, 0, 0]]}]
        await viewer.receive(json.dumps({"op": "view", "id": 2, "figure": 0, "layers": wanted}))
        got = await channel.until(Type.DONE)
        assert [(each.type, each.request) for each in got] == [(Type.TILE, 2), (Type.DONE, 2)]
        assert site.viewers == {viewer}
        viewer.closed()
        await asyncio.gather(*viewer.tasks, return_exceptions=True)
        assert not site.viewers and not viewer.tasks

    looking(test)


def test_what_is_wrong_is_answered_and_raises_nothing():
    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        await channel.until(Type.HELLO)
        await viewer.receive("what?")
        await viewer.receive(b"\0")
        errors = [read_json(Reassembler().add(await channel.frames.get()) or [])[0]["error"] for _ in range(2)]
        assert errors == [
            "A message is a JSON object, got text that is not JSON.",
            "Messages are JSON texts, got a binary frame.",
        ]

    looking(test)


def test_a_document_that_is_not_there_ends_the_connection_with_the_reason():
    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        code, reason = await channel.ended
        assert code == GONE and "There is no such document" in reason

    looking(test, name="other")


def test_one_who_takes_nothing_in_is_left():
    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        assert (await channel.ended, viewer.code) == ((0, ""), UNREAD)

    looking(test, Limits(stalled_seconds=0.01, slowest_bytes=1e9), slow=True)


def test_what_was_answered_before_needs_no_thread_no_task_and_one_write():
    """The second view of the same tiles is answered as its message is read, unless the browser is behind."""

    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        (hello,) = await channel.until(Type.HELLO)
        definition = definition_of(read_json(Reassembler().add(hello) or [])[0])
        places = [[2, 2, i, j] for i in range(4) for j in range(4)]
        wanted = [{"layer": 0, "definition": definition, "tiles": places, "prefetch": [[1, 1, 0, 0]]}]

        async def ask(request: int) -> None:
            await viewer.receive(json.dumps({"op": "view", "id": request, "figure": 0, "layers": wanted}))

        async def answered() -> list[TileMessage]:
            got = [read_tile([each]) for each in await channel.until(Type.DONE) if each.type == Type.TILE]
            return sorted(
                (replace(tile, queue_us=0, kernel_us=0, encode_us=0, rows=0, bytes=0) for tile in got), key=str
            )

        answers = []
        await ask(1)
        answers.append(await answered())
        runner = viewer.backend.runner
        runner.pause(viewer, True)
        await ask(2)
        await asyncio.gather(*viewer.tasks)
        assert runner.waiting == 17 and channel.frames.empty()
        runner.pause(viewer, False)
        answers.append(await answered())
        runner.close()
        writes = channel.writes
        await ask(3)
        assert not viewer.tasks
        answers.append(await answered())
        assert channel.writes == writes + 1 and len(viewer.backend.jobs.kept_views) == 1
        await ask(4)
        answers.append(await answered())
        assert channel.writes == writes + 2 and viewer.backend.jobs.kept_views.hits == 1
        assert viewer.views[0].sent is None, "a view that is answered holds no answers"
        assert len(answers[0]) == 17 and all(each == answers[0] for each in answers)

    looking(test)


def test_what_one_viewer_was_answered_another_gets_without_work():
    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        (hello,) = await channel.until(Type.HELLO)
        definition = definition_of(read_json(Reassembler().add(hello) or [])[0])
        window = {"x0": 0.0, "x1": 99.5, "y0": -1.0, "y1": 9.0, "width": 300, "height": 200}
        wanted = [{"layer": 0, "definition": definition, "tiles": [[0, 0, 0, 0]], "window": window}]
        message = json.dumps({"op": "view", "id": 1, "figure": 0, "layers": wanted})
        await viewer.receive(message)
        first = await channel.until(Type.DONE)
        site.loaded.runner.close()  # nothing runs any more
        other, second = Channel(), None
        friend = Viewer(site, "rows", Credentials("", local=True), OPERATOR, other)
        friend.open()
        try:
            await other.until(Type.HELLO)
            await friend.receive(message)
            second = await other.until(Type.DONE)
        finally:
            friend.closed()
        assert [each.type for each in first] == [each.type for each in second] == [Type.ROWS, Type.DONE]
        assert first[0].body == second[0].body
        facts = [read_json([each])[0] for each in (first[0], second[0])]
        free = {"queue_us": 0, "kernel_us": 0, "encode_us": 0, "rows": 0, "bytes": len(first[0].body)}
        assert facts[0]["rows"] == 1_000 and facts[1] == facts[0] | free

    looking(test)


def test_tiles_that_rows_take_the_place_of_are_not_made_but_for_those_that_workers_have_the_time_for():
    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        (hello,) = await channel.until(Type.HELLO)
        definition = definition_of(read_json(Reassembler().add(hello) or [])[0])
        ready = {"op": "view", "id": 9, "figure": 0, "layers": [{"layer": 0, "definition": definition, "tiles": []}]}
        await viewer.receive(json.dumps(ready))
        await channel.until(Type.DONE)
        runner, asked = site.loaded.runner, []
        runner.pause(viewer, True)  # until it is seen what is wanted
        replace_wants = runner.replace

        def noted(owner, slot, wants):
            asked.append([want.key[-1][0] if isinstance(want.key[-1], tuple) else "window" for want in wants])
            replace_wants(owner, slot, wants)

        runner.replace = noted
        places = [[2, 2, i, j] for i in range(4) for j in range(4)]
        wide = {"x0": 0.0, "x1": 1_000.0, "y0": -1.0, "y1": 9.0, "width": 300, "height": 200}
        for request, usage in ((1, None), (2, Usage(rowless=frozenset((definition["dataset"],))))):
            asked.clear()
            if usage is not None:  # who may not read rows gets tiles
                viewer.shown = replace(viewer.shown, usage=usage)
            wanted = [
                {"layer": 0, "definition": definition, "tiles": places, "prefetch": [[1, 1, 0, 0]], "window": wide}
            ]
            await viewer.receive(json.dumps({"op": "view", "id": request, "figure": 0, "layers": wanted}))
            assert asked == [["window", *["frame"] * (runner.workers - 1)]]
            runner.pause(viewer, False)
            got = [each.type for each in await channel.until(Type.DONE)]
            assert got == ([Type.ROWS] if usage is None else [Type.TILE] * 17) + [Type.DONE]
            runner.pause(viewer, True)

    looking(test)


def test_a_viewer_whose_data_changes_gets_nothing_of_the_old():
    async def test(site: Site, viewer: Viewer, channel: Channel) -> None:
        (hello,) = await channel.until(Type.HELLO)
        definition = definition_of(read_json(Reassembler().add(hello) or [])[0])
        wanted = [{"layer": 0, "definition": definition, "tiles": [[0, 0, 0, 0]]}]

        async def rows(request: int) -> int:
            await viewer.receive(json.dumps({"op": "view", "id": request, "figure": 0, "layers": wanted}))
            tiles = [each for each in await channel.until(Type.DONE) if each.type == Type.TILE]
            (plane,) = read_tile(tiles).planes
            return int(decode(plane)[0].sum())

        assert [await rows(1), await rows(2)] == [1_000, 1_000]
        before = viewer.shown.document
        now = bv.document(
            bv.figure(title="Rows").points(pa.table({"x": [0.0, 9.0], "y": [1.0, 2.0]}), "x", "y"), id="rows"
        )
        viewer.renew(Shown(Opened(before, replace(before, sources=now.sources))), {})
        await channel.until(Type.CHANGED)
        assert [await rows(3), await rows(4)] == [2, 2]

    looking(test)
