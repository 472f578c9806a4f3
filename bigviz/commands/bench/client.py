"""A page without a browser: one websocket that asks for views as a page would, and times what comes.

For `bigviz bench` and for the project's own benchmarks. One client at a time, on a running event loop.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from bigviz.common.errors import BigvizError, Unreadable
from bigviz.wire.frames import ESTIMATE, HEADER, MAX_FRAME, TILE, Frame, Reassembler, Type, parse, read_json
from bigviz.wire.tiles import TileMessage, read_tile

__all__ = ["Client", "ViewTime", "definition", "figures"]

Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class ViewTime:
    """What one view cost; times in ms, by this client's clock and the server's own.

    `total` is from the request to the message that says that every part was sent exact, `first` to the first part,
    estimates included. `queue`, `kernel`, `encode` are those of the part that came last, `wire` is the rest of `total`:
    so the four sum to it. `work` is kernel and encoding of all parts, which run side by side on the server's threads.
    """

    total: float
    first: float
    queue: float
    kernel: float
    encode: float
    wire: float
    work: float
    parts: int
    estimates: int
    rows: int
    bytes_read: int
    bytes_sent: int


class Client:
    """A websocket on a document; `connect` makes one. Messages that the server pushes are skipped."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self._parts = Reassembler()
        self._id = 0
        self.document: dict[str, Any] = {}

    @classmethod
    async def connect(cls, url: str) -> Client:
        """Connect to the document whose page is at `url`; waits for the server's hello. OSError where nobody listens,
        HTTPClientError where the answer is no websocket."""
        origin = "/".join(url.split("/")[:3])
        address = f"{url.rstrip('/')}/ws".replace("http", "ws", 1)
        request = HTTPRequest(address, headers={"Origin": origin}, connect_timeout=10, request_timeout=10)
        client = cls(await websocket_connect(request, max_message_size=MAX_FRAME))
        try:
            client.document = (await client._hello())["document"]
        except BigvizError:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """Leave, and wait a second for the server to see it."""
        self._socket.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while await self._socket.read_message() is not None:
                    pass

    async def layer(
        self, wanted: dict[str, Any], progress: Progress | None = None, *, ready: bool = True
    ) -> dict[str, Any]:
        """The facts of a layer: the final ones, its index built, or with `ready` False the first that come, which may
        be those of a sample. `progress` gets what the server reports meanwhile."""
        request = await self._say(op="layer", figure=0, layer=0, definition=wanted)
        while True:
            frames = await self._answer(request)
            value = read_json(frames)[0]
            if frames[0].type == Type.PROGRESS and progress is not None:
                progress(value)
            final = value.get("index") != "building" and not value.get("provisional")
            if frames[0].type == Type.LAYER and (final or not ready):
                found: dict[str, Any] = value
                return found

    async def view(self, wanted: dict[str, Any]) -> tuple[ViewTime, list[TileMessage]]:
        """Ask for one layer's tiles or columns (`wanted` as in a view's `layers`); its times, and its exact tiles."""
        start = time.perf_counter()
        request = await self._say(op="view", figure=0, layers=[wanted])
        queue = kernel = encode = 0.0  # of the part that came last
        tiles: list[list[Frame]] = []
        began: float | None = None
        parts = estimates = sent = 0
        work = 0.0
        while True:
            frames = await self._answer(request)
            kind, now = frames[0].type, (time.perf_counter() - start) * 1e3
            sent += sum(HEADER.size + len(frame.json) + len(frame.body) for frame in frames)
            if kind == Type.DONE:
                break
            cost = _cost(frames)
            if cost is None:
                continue
            began = now if began is None else began
            parts += 1
            estimates += frames[0].flags & ESTIMATE
            queue, kernel, encode = cost
            work += kernel + encode
            if kind == Type.TILE and not frames[0].flags & ESTIMATE:
                tiles.append(frames)
        found = [read_tile(each) for each in tiles]
        sums = read_json(frames)[0]
        return ViewTime(
            total=now,
            first=now if began is None else began,
            queue=queue,
            kernel=kernel,
            encode=encode,
            wire=now - queue - kernel - encode,
            work=work,
            parts=parts,
            estimates=estimates,
            rows=sums["rows"],
            bytes_read=sums["bytes"],
            bytes_sent=sent,
        ), found

    async def _hello(self) -> dict[str, Any]:
        """What the server greets with, once it has read its files and compiled its kernels."""
        while True:
            frames = await self._message()
            if frames[0].type == Type.HELLO:
                found: dict[str, Any] = read_json(frames)[0]
                return found

    async def _say(self, **message: Any) -> int:
        self._id += 1
        await self._socket.write_message(json.dumps({"id": self._id, **message}))
        return self._id

    async def _answer(self, request: int) -> list[Frame]:
        """The next message that answers `request`; BigvizError where it is an error."""
        while True:
            frames = await self._message()
            if frames[0].request != request:
                continue
            if frames[0].type == Type.ERROR:
                raise BigvizError(read_json(frames)[0]["error"])
            return frames

    async def _message(self) -> list[Frame]:
        while True:
            data = await self._socket.read_message()
            if data is None:
                raise Unreadable(f"The server closed the connection (code {self._socket.close_code}).")
            frames = self._parts.add(parse(data.encode() if isinstance(data, str) else data))
            if frames is not None:
                return frames


def _cost(frames: list[Frame]) -> tuple[float, float, float] | None:
    """Queue, kernel and encoding of a part in ms; None for what is no part of a view."""
    if frames[0].type == Type.TILE:
        queue, kernel, encode = TILE.unpack_from(frames[0].body)[5:8]
    elif frames[0].type in (Type.COLUMNS, Type.ROWS, Type.IMAGE):
        info = read_json(frames[:1])[0]  # each part has its own
        queue, kernel, encode = info["queue_us"], info["kernel_us"], info["encode_us"]
    else:
        return None
    return queue / 1e3, kernel / 1e3, encode / 1e3


def figures(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of a document's JSON, depth first."""
    return _figures(document["layout"])


def _figures(node: dict[str, Any]) -> list[dict[str, Any]]:
    if node["type"] == "figure":
        return [node]
    return [figure for child in node.get("children", ()) for figure in _figures(child)]


def definition(document: dict[str, Any], **changes: str) -> dict[str, Any]:
    """The definition of the first layer of a document's first figure, as messages carry it."""
    figure = figures(document)[0]
    layer = figure["layers"][0]
    kinds = {"xaxis": figure["x_axis"]["kind"], "yaxis": figure["y_axis"]["kind"]}
    return {name: layer[name] for name in ("dataset", "glyph", "x", "y", "agg", "root")} | kinds | changes
