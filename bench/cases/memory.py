"""What a server over a table with a store holds in memory, apart from mapped files, while somebody pans and zooms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from bench import data, stores
from bench.memory import watched
from bench.report import Figure, words
from bigviz.commands.bench.client import Client, definition
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.walk import walk_of

VIEWS: Final = 400
CACHE: Final = 256  # MiB
BOUND: Final = 1024.0 + CACHE  # MiB


def run(rows: int) -> Iterator[Figure]:
    """The walk of `bigviz bench` through a table that needs a store."""
    path = data.arrow("points", rows)
    store = stores.of(path)
    if store is None:
        return
    options = ["--x=x", "--y=y", f"--store-dir={store}", "--index=existing", f"--cache={CACHE}MiB"]
    with watched() as peak, serving([str(path), *options], peak.follow) as url:
        asyncio.run(_walked(url))
        peak.look()
    what = f"anonymous memory of `bigviz serve --cache={CACHE}MiB` over {words(rows)} rows, {VIEWS} views"
    yield Figure(what, "MiB", [peak.bytes / 2**20], "max", BOUND)


async def _walked(url: str) -> None:
    client = await Client.connect(url)
    try:
        layer = definition(client.document)
        walk = walk_of(layer, await client.layer(layer))
        for _ in range(VIEWS):
            _, answers = await client.view(walk.wanted())
            walk.saw(answers)
    finally:
        await client.close()
