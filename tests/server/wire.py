"""A browser without a page: one websocket, messages out, whole messages in."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, connect

from bigviz.wire.codec import EncodedPlane, decode
from bigviz.wire.columns import read_columns
from bigviz.wire.frames import Frame, Reassembler, Type, parse, read_json
from bigviz.wire.images import read_image
from bigviz.wire.rows import read_rows
from bigviz.wire.tiles import read_tile

from ..patience import PATIENCE

SECONDS = PATIENCE


@dataclass
class Got:
    """A message: its first frame, and what the body holds."""

    frame: Frame
    value: Any
    body: bytes = b""

    @property
    def kind(self) -> Type:
        return Type(self.frame.type)


class Browser:
    """`hello` is read at once, and what comes before it; `take` reads the next message, `until` up to one that fits."""

    def __init__(self, url: str, document: str, origin: str | None = None, query: str = "", **options: Any) -> None:
        origin = url.rstrip("/") if origin is None else origin
        address = url.replace("http", "ws", 1) + document + "/ws" + query
        opening = connect(address, origin=origin, max_size=None, compression=None, **options)
        self.stack = ExitStack()
        self.socket: ClientConnection = self.stack.enter_context(opening)
        self.parts = Reassembler()
        self.sequence = 0
        self.id = 0
        *self.before, self.hello = self.until(lambda got: got.kind != Type.PROGRESS)
        assert self.hello.kind == Type.HELLO
        self.document = self.hello.value["document"]

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self.stack.close()

    def take(self, seconds: float = SECONDS) -> Got:
        while True:
            frame = parse(self.socket.recv(seconds))
            self.sequence += 1
            assert frame.sequence == self.sequence
            frames = self.parts.add(frame)
            if frames is not None:
                break
        if frame.type == Type.TILE:
            return Got(frames[0], read_tile(frames))
        if frame.type == Type.COLUMNS:
            return Got(frames[0], read_columns(frames))
        if frame.type == Type.ROWS:
            return Got(frames[0], read_rows(frames))
        if frame.type == Type.IMAGE:
            return Got(frames[0], read_image(frames))
        return Got(frames[0], *read_json(frames))

    def until(self, fits: Callable[[Got], bool]) -> list[Got]:
        """Messages up to and with the first that fits."""
        got = []
        while True:
            got.append(self.take())
            if fits(got[-1]):
                return got

    def say(self, **message: Any) -> int:
        """Send a message; it gets the next id unless it has one."""
        self.id += 1
        self.socket.send(json.dumps({"id": self.id, **message}))
        return int(message.get("id", self.id))

    def definition(self, figure: int = 0, layer: int = 0, **changes: Any) -> dict[str, Any]:
        """The definition of a published layer."""
        found = figures(self.document["layout"])[figure]
        spec = found["layers"][layer]
        names = ("dataset", "glyph", "x", "y", "agg", "root")
        kinds = {"xaxis": found["x_axis"]["kind"], "yaxis": found["y_axis"]["kind"]}
        return {name: spec[name] for name in names} | kinds | changes

    def layer(self, figure: int = 0, layer: int = 0, **changes: Any) -> Got:
        """The answer to a `layer` message, progress skipped."""
        request = self.say(op="layer", figure=figure, layer=layer, definition=self.definition(figure, layer, **changes))
        got = self.until(lambda each: each.kind in (Type.LAYER, Type.ERROR))[-1]
        assert got.frame.request == request and (got.frame.figure, got.frame.layer) == (figure, layer)
        return got

    def ask(self, tiles: list[list[int]], figure: int = 0, layer: int = 0, **more: Any) -> int:
        """Send a view of tiles."""
        wanted = {"layer": layer, "definition": self.definition(figure, layer), "tiles": tiles, **more}
        return self.say(op="view", figure=figure, layers=[wanted])

    def view(self, tiles: list[list[int]], figure: int = 0, layer: int = 0, **more: Any) -> list[Got]:
        """Send a view of tiles; everything that answers it."""
        request = self.ask(tiles, figure, layer, **more)
        return self.until(lambda got: got.kind in (Type.DONE, Type.ERROR) and got.frame.request == request)


def figures(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures of a layout in document JSON, depth first."""
    if node["type"] == "figure":
        return [node]
    return [figure for child in node.get("children", ()) for figure in figures(child)]


def tiles_of(got: list[Got]) -> list[tuple[int, int, int, int]]:
    """The places of the tiles among messages, in order."""
    return [(g.value.zx, g.value.zy, g.value.i, g.value.j) for g in got if g.kind == Type.TILE]


def cells(plane: Any) -> np.ndarray:
    """The 256 x 256 cells of a plane that came."""
    fields = ("codec", "dtype", "plane", "filled", "low", "high", "constant", "payload")
    return decode(EncodedPlane(*(getattr(plane, name) for name in fields)))[0].reshape(256, 256)
