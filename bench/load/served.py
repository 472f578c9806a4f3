"""A server over one table, warm, for viewers of a bench."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench import data, stores
from bench.load.machine import Process
from bigviz.commands.bench.client import Client, definition
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import Window

__all__ = ["Served", "Settings", "served"]


@dataclass(frozen=True)
class Settings:
    """`minutes` for which viewers idle, `seconds` for which they look, `rows` of the table that they look at."""

    minutes: float = 10.0
    seconds: float = 60.0
    rows: int = 10**8


@dataclass(frozen=True)
class Served:
    """A server over one table, warm; `url` is its page."""

    url: str
    process: Process
    definition: dict[str, Any]
    info: dict[str, Any]

    @property
    def home(self) -> Window:
        """The window that a page opens with."""
        x0, y0, x1, y1 = (float(each) for each in self.info["range"])
        return Window(x0, x1, y0, y1).scaled(1.04, (x0 + x1) / 2, (y0 + y1) / 2)

    @property
    def roots(self) -> tuple[tuple[float, int], tuple[float, int]]:
        """The roots of both axes."""
        (xs, xe), (ys, ye) = (self.info["root"][axis] for axis in "xy")
        return (float(xs), int(xe)), (float(ys), int(ye))


@contextmanager
def served(rows: int, viewers: int, front_ends: int = 1) -> Iterator[Served]:
    """A server over the points, `rows` of them, for so many viewers; from its store where the table is large. Raises
    ValueError for a store of another version."""
    path = data.arrow("points", rows)
    store = stores.of(path)
    options = ["--x=x", "--y=y", f"--max-connections={viewers + 1_000}", f"--num-procs={front_ends}"]
    if store is not None:
        options += [f"--store-dir={store}", "--index=existing"]
    pids: list[int] = []
    with serving([f"table={path}", *options], pids.append) as url:
        wanted, info = asyncio.run(_warm(url))
        if info["index"] != "ready":
            raise ValueError(f"{store} is no index of {path} for this version: remove it, and it is built again")
        yield Served(url, Process(pids[0], url), wanted, info)


async def _warm(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The layer's definition and facts; its kernels are compiled after it."""
    client = await Client.connect(url)
    try:
        wanted = definition(client.document)
        info = await client.layer(wanted)
        tile: Mapping[str, Any] = {"layer": 0, "definition": wanted, "tiles": [[0, 0, 0, 0]]}
        await client.view(dict(tile))
        return wanted, info
    finally:
        await client.close()
