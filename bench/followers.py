"""Viewers that follow a dataset: `python -m bench.followers` is a process of them, which reads a `Crowd` from standard
input, as a line of JSON, and prints what came when the input ends.

They send `follow` as pages do, and acknowledge an update by the next one, at once; those that are `stopped` read
nothing after their first.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bench.load.machine import LOCAL, raise_file_limit, sources
from bench.load.socket import Head, Opcode, Viewer, head_of
from bigviz.wire.frames import HEADER, Type

__all__ = ["Came", "Crowd", "followers"]

_ROOT: Final = Path(__file__).parents[1]
_AT_ONCE: Final = 20
_LATEST: Final = 60.0
_JSON_BYTES: Final = slice(32, 36)


@dataclass(frozen=True)
class Crowd:
    """`count` viewers, and `stopped` others, of the document at `path` of `port`; each says that it has `layer` of its
    first figure, of `dataset`."""

    port: int
    path: str
    dataset: str
    layer: dict[str, Any]
    count: int
    stopped: int = 0


@dataclass
class Came:
    """What came: how many updates each viewer got, milliseconds from an append's acknowledgement to its update, bytes
    of all, and how many connections the server ended."""

    updates: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    nbytes: int = 0
    dropped: int = 0


class _Follower(Viewer):
    """Acknowledges each update by asking for the next."""

    def __init__(self, host: str, crowd: Crowd, came: Came, stops: bool) -> None:
        super().__init__(host, f"{crowd.path}?follow=1", self._nothing)
        self._crowd = crowd
        self._came = came
        self._stops = stops
        self._id = 0
        self._version = 0
        self._told = False
        self.updates = 0

    def _nothing(self, head: Head) -> None:
        pass

    def _take(self, opcode: int, payload: bytes) -> None:
        super()._take(opcode, payload)
        if opcode != Opcode.BINARY:
            return
        self._came.nbytes += len(payload)
        kind = head_of(payload).kind
        if kind == Type.LAYER:
            self._follow()
        elif kind in (Type.HELLO, Type.UPDATE):
            size = int.from_bytes(payload[_JSON_BYTES], "little")
            told = json.loads(payload[HEADER.size : HEADER.size + size])
            facts = told["datasets"][self._crowd.dataset]
            self._version = facts["version"]
            if kind == Type.HELLO or told["anew"]:
                self._ask()
                return
            self.updates += 1
            self._came.milliseconds.append(1e3 * (time.time() - facts["time"]))
            self._follow()

    def _ask(self) -> None:
        """Ask for the layer, as a page does: only then is it followed."""
        self._id += 1
        layer = {key: self._crowd.layer[key] for key in ("layer", "definition")}
        self.say(json.dumps({"op": "layer", "id": self._id, "figure": 0, **layer}))

    def _follow(self) -> None:
        self._id += 1
        message: dict[str, Any] = {"op": "follow", "id": self._id, "versions": {self._crowd.dataset: self._version}}
        if not self._told:  # a page says what it shows only where that has changed
            message["figures"] = [{"figure": 0, "layers": [self._crowd.layer]}]
            self._told = True
        self.say(json.dumps(message))
        if self._stops:
            self._transport.pause_reading()


async def _run(crowd: Crowd) -> Came:
    came, turns, loop = Came(), asyncio.Semaphore(_AT_ONCE), asyncio.get_running_loop()
    places = sources(crowd.count + crowd.stopped)

    async def arrive(number: int) -> _Follower:
        async with turns:
            made = partial(_Follower, f"{LOCAL}:{crowd.port}", crowd, came, number >= crowd.count)
            place = (places[number % len(places)], 0)
            _, viewer = await loop.create_connection(made, LOCAL, crowd.port, local_addr=place)
            async with asyncio.timeout(_LATEST):
                await viewer.greeted
            return viewer

    viewers = await asyncio.gather(*map(arrive, range(crowd.count + crowd.stopped)))
    print(json.dumps(len(viewers)), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    came.updates = [viewer.updates for viewer in viewers[: crowd.count]]
    came.dropped = sum(not viewer.is_open for viewer in viewers)
    return came


@dataclass
class Watched:
    """Followers in a process of their own; `came` is set at the end."""

    came: Came = field(default_factory=Came)


@contextmanager
def followers(url: str, dataset: str, layer: dict[str, Any], count: int, stopped: int = 0) -> Iterator[Watched]:
    """Viewers of the document at a URL, who have arrived; what came to them is known at the end."""
    parts = urlsplit(url)
    crowd = Crowd(parts.port or 80, f"{parts.path.rstrip('/')}/ws", dataset, layer, count, stopped)
    command = [sys.executable, "-m", "bench.followers"]
    child = subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watched = Watched()
    try:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(asdict(crowd)) + "\n")
        child.stdin.flush()
        if not child.stdout.readline():
            raise RuntimeError(f"a process of viewers ended with status {child.wait()}")
        yield watched
        child.stdin.close()
        watched.came = Came(**json.loads(child.stdout.readline()))
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            pipe.close()


def main() -> None:
    """Be a process of viewers."""
    raise_file_limit()
    came = asyncio.run(_run(Crowd(**json.loads(sys.stdin.readline()))))
    print(json.dumps(asdict(came)), flush=True)


if __name__ == "__main__":
    main()
