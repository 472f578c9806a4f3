"""A page in a cell, without a notebook: what it says goes to the widget, and what the widget sends is kept."""

from __future__ import annotations

import json
import queue
from typing import Any

from bigviz.wire.frames import Frame, Reassembler, Type, parse, read_json

from ...patience import PATIENCE


class FakePage:
    """One view of a widget whose `send` is `hear`."""

    def __init__(self, say: Any, view: str = "a") -> None:
        self._say = say
        self.view = view
        self.heard: queue.Queue[tuple[dict[str, Any], list[bytes]]] = queue.Queue()
        self.id = 0

    def hear(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if content["view"] == self.view:
            self.heard.put((content, buffers))

    def say(self, **content: Any) -> None:
        self._say({"view": self.view, **content})

    def next(self) -> tuple[dict[str, Any], list[bytes]]:
        return self.heard.get(timeout=PATIENCE)

    def open(self, socket: int = 1) -> dict[str, Any]:
        """Open a socket: the JSON of its hello."""
        self.say(socket=socket, open=True)
        return self.message(Type.HELLO)[1]

    def ask(self, socket: int = 1, **message: Any) -> None:
        self.id += 1
        self.say(socket=socket, text=json.dumps({"id": self.id, **message}))

    def message(self, kind: Type) -> tuple[Frame, Any]:
        """The next whole message of a kind, others left out: its first frame, and its JSON where it has one."""
        parts = Reassembler()
        while True:
            _, (data,) = self.next()
            frames = parts.add(parse(data))
            if frames is not None and frames[0].type == kind:
                return frames[0], read_json(frames)[0] if kind != Type.TILE else None
