"""Tiles over HTTP: how soon they come on a connection that is kept, how many a second, and views of them beside those
of the websocket.

Clients are bare sockets in this process, so that what is measured is the server.
"""

from __future__ import annotations

import asyncio
import io
import re
import selectors
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import data, stores
from bench.places import LARGE
from bench.report import Figure, Rival, words
from bigviz.commands.bench.client import Client, definition
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import Place, Window, tiles
from bigviz.wire.codec import decode

__all__ = ["Kept", "mercator", "run"]

_ASKED: Final = 300  # answers that are timed
_FIRST: Final = 100  # pictures that nobody has asked for
_CONNECTIONS: Final = 8
_A_BROWSER: Final = 6  # connections to one server
_SECONDS: Final = 5.0
_VIEWS: Final = 40
_A_VIEW: Final = 20  # tiles
_CHECKED: Final = 12  # tiles that are compared
_TIGHT: Final = 0.5**6  # of the range: a window as deep as most that are looked at
_SIZE: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ETAG: Final = re.compile(rb"\r\netag: *(\"[^\"]+\")", re.IGNORECASE)
_MERCATOR_ROWS: Final = 10**6
_DEEPEST: Final = 18
_SHALLOWEST: Final = 4


class Answer(NamedTuple):
    """A status, the ETag in its quotes, and the body."""

    status: int
    etag: str
    body: bytes


class Kept:
    """A connection that is kept; `source` is the loopback address that it comes from."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"127.0.0.1:{port}"
        self._received = bytearray(1 << 20)  # used again: new memory for each answer would take the client's time

    def ask(self, path: str, known: str = "") -> None:
        """Send a request; `known` is the ETag of what the client has."""
        tag = f"If-None-Match: {known}\r\n" if known else ""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n{tag}\r\n".encode())

    def read(self) -> Answer:
        """The answer to it. RuntimeError where the server has closed the connection."""
        filled = self._more(0)
        while (end := self._received.find(b"\r\n\r\n", 0, filled)) < 0:
            filled = self._more(filled)
        head, start = bytes(self._received[: end + 2]), end + 4
        status, size, tag = int(head[9:12]), _SIZE.search(head), _ETAG.search(head)
        stop = start + (0 if size is None or status == 304 else int(size[1]))
        self._received.extend(bytes(max(0, stop - len(self._received))))
        while filled < stop:
            filled = self._more(filled)
        return Answer(status, tag[1].decode() if tag else "", bytes(memoryview(self._received)[start:stop]))

    def get(self, path: str, known: str = "", status: int = 200) -> Answer:
        """Ask and read. RuntimeError for another status."""
        self.ask(path, known)
        found = self.read()
        if found.status != status:
            raise RuntimeError(f"{path}: {found.status}, not {status}: {found.body[:200]!r}")
        return found

    def fileno(self) -> int:
        """For `selectors`."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _more(self, filled: int) -> int:
        with memoryview(self._received)[filled:] as room:
            found = self._socket.recv_into(room)
        if not found:
            raise RuntimeError("the server has closed the connection")
        return filled + found


def run(rows: int) -> Iterator[Figure]:
    """Tiles of counts of the table of points."""
    if rows > LARGE:
        return
    with _served(rows) as url:
        views = asyncio.run(_views(url, rows))
        port, base = urlsplit(url).port or 80, f"{urlsplit(url).path.rstrip('/')}/layers/0/tiles/"
        asyncio.run(_check(url, port, base, views[0]))
        yield from _times(port, base, views)
        yield from _rates(port, base, views[0])
        yield asyncio.run(_beside_the_websocket(url, port, base, views[3:], rows))


def mercator(rows: int) -> Iterator[Figure]:
    """The first picture of each of the deeper levels of a map of 10^6 points, whatever `rows`."""
    random = np.random.default_rng(12)
    lon, lat = random.normal(10.0, 20.0, _MERCATOR_ROWS), random.normal(40.0, 15.0, _MERCATOR_ROWS).clip(-80, 80)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cities.parquet"
        pq.write_table(pa.table({"lon": lon, "lat": lat, "value": lon + lat}), path)
        for agg in ("count", "mean(value)"):
            options = ["--x=lon", "--y=lat", "--xaxis=mercator", "--yaxis=mercator", f"--agg={agg}"]
            with serving([f"map={path}", *options]) as url:
                yield _first_pictures(urlsplit(url).port or 80, float(lon[0]), float(lat[0]), agg)


def _first_pictures(port: int, lon: float, lat: float, agg: str) -> Figure:
    x, y = (lon + 180) / 360, 0.5 - np.arcsinh(np.tan(np.radians(lat))) / (2 * np.pi)
    kept = Kept(port)
    try:
        kept.get("/map/layers/0/tilejson.json")
        kept.get("/map/layers/0/tiles/0/0/0.png")  # kernels are compiled, and colours read
        paths = [f"/map/layers/0/tiles/{z}/{int(x * 2**z)}/{int(y * 2**z)}.png" for z in _levels()]
        times = [_timed(kept, path) for path in paths]
    finally:
        kept.close()
    what = f"first `.png` of a level, {_SHALLOWEST} to {_DEEPEST}, {words(_MERCATOR_ROWS)} mercator points, {agg}"
    return Figure(what, "ms", times, "median", 5.0)


def _levels() -> range:
    return range(_DEEPEST, _SHALLOWEST - 1, -1)


@contextmanager
def _served(rows: int) -> Iterator[str]:
    path = data.arrow("points", rows)
    store = stores.of(path)
    options = [] if store is None else [f"--store-dir={store}", "--index=existing"]
    with serving([f"table={path}", "--x=x", "--y=y", *options]) as url:
        kept = Kept(urlsplit(url).port or 80)
        kept.get("/table/layers/0/tilejson.json")  # once the table is open
        kept.close()
        yield url


async def _views(url: str, rows: int) -> list[list[Place]]:
    """Tiles of windows about random rows, none of them in two windows, each window's at most 20."""
    client = await Client.connect(url)
    try:
        info = await client.layer(definition(client.document))
    finally:
        await client.close()
    x0, y0, x1, y1 = (float(each) for each in info["range"])
    roots = [(float(start), int(exponent)) for start, exponent in (info["root"]["x"], info["root"]["y"])]
    taken, views = set[Place](), list[list[Place]]()
    for x, y in zip(*data.sample_rows(data.arrow("points", rows), 40 * _VIEWS), strict=True):
        window = Window(x0, x1, y0, y1).scaled(_TIGHT, x, y).moved(x / 7, y / 7)
        found = tiles(window, *roots)[:_A_VIEW]
        if len(found) == _A_VIEW and taken.isdisjoint(found):
            views.append(found)
            taken.update(found)
    return views


def _address(base: str, place: Place, extension: str) -> str:
    zx, zy, i, j = place
    return f"{base}{zx},{zy}/{i}/{j}.{extension}"


async def _check(url: str, port: int, base: str, places: Sequence[Place]) -> None:
    """Raise RuntimeError unless tiles over HTTP are those of the websocket."""
    client, kept = await Client.connect(url), Kept(port)
    try:
        wanted = {"layer": 0, "definition": definition(client.document), "tiles": list(places[:_CHECKED])}
        _, found = await client.view(wanted)
        for tile in found:
            body = kept.get(_address(base, (tile.zx, tile.zy, tile.i, tile.j), "npy")).body
            if not np.array_equal(np.load(io.BytesIO(body)), decode(tile.planes[0])[0]):
                raise RuntimeError(f"tile {(tile.zx, tile.zy, tile.i, tile.j)} differs over HTTP")
        if len(found) != _CHECKED:
            raise RuntimeError(f"{len(found)} of {_CHECKED} tiles came over the websocket")
    finally:
        kept.close()
        await client.close()


def _times(port: int, base: str, views: Sequence[Sequence[Place]]) -> Iterator[Figure]:
    kept = Kept(port)
    try:
        what = "tile by HTTP, connection kept"
        new = [place for view in views[1:] for place in view]
        first = [_timed(kept, _address(base, place, "png")) for place in new[: _FIRST + 20]][20:]
        yield Figure(f"{what}: first `.png`", "ms", first, "median", 5.0)
        for extension, bound in (("png", 0.5), ("npy", 0.8)):
            path = _address(base, views[0][7], extension)
            answer = kept.get(path)
            times = [_timed(kept, path) for _ in range(_ASKED)]
            yield Figure(f"{what}: cached `.{extension}`", "ms", times, "median", bound, f"{len(answer.body):,} bytes")
        times = [_timed(kept, path, answer.etag, 304) for _ in range(_ASKED)]
        yield Figure(f"{what}: 304", "ms", times, "median", 0.3)
    finally:
        kept.close()


def _timed(kept: Kept, path: str, known: str = "", status: int = 200) -> float:
    start = time.perf_counter()
    kept.get(path, known, status)
    return (time.perf_counter() - start) * 1e3


def _rates(port: int, base: str, places: Sequence[Place]) -> Iterator[Figure]:
    """Each connection has an address of its own: the server bounds the requests of one."""
    paths = [_address(base, place, "png") for place in places]
    first = Kept(port)
    try:
        tags = [first.get(path).etag for path in paths]
    finally:
        first.close()
    for name, known, least in (("cached `.png`", [""] * len(paths), 1_500), ("304", tags, 2_500)):
        what = f"tiles a second, {_CONNECTIONS} connections, {name}: time of one"
        rate = _rate(port, list(zip(paths, known, strict=True)))
        yield Figure(what, "ms", [1e3 / rate], "max", 1e3 / least, f"{rate:,.0f} a second")


def _rate(port: int, asked: Sequence[tuple[str, str]]) -> float:
    """Answers a second for some seconds."""
    connections = [Kept(port, f"127.0.0.{number + 2}") for number in range(_CONNECTIONS)]
    waiting, count, wanted = selectors.DefaultSelector(), 0, 304 if asked[0][1] else 200
    try:
        for number, each in enumerate(connections):
            waiting.register(each.fileno(), selectors.EVENT_READ, each)
            each.ask(*asked[number % len(asked)])
        start = time.perf_counter()
        while (seconds := time.perf_counter() - start) < _SECONDS:
            for key, _ in waiting.select():
                if key.data.read().status != wanted:
                    raise RuntimeError(f"an answer is not {wanted}")
                count += 1
                key.data.ask(*asked[count % len(asked)])
        return count / seconds
    finally:
        waiting.close()
        for each in connections:
            each.close()


async def _beside_the_websocket(url: str, port: int, base: str, views: Sequence[Sequence[Place]], rows: int) -> Figure:
    """Views that nobody has asked for, in turns over HTTP and over the websocket."""
    client, by_http, by_socket = await Client.connect(url), list[float](), list[float]()
    connections = [Kept(port) for _ in range(_A_BROWSER)]
    wanted: dict[str, Any] = {"layer": 0, "definition": definition(client.document)}
    try:
        with ThreadPoolExecutor(_A_BROWSER) as pool:
            for number, places in enumerate(views[:_VIEWS]):
                start = time.perf_counter()
                if number % 2:
                    await client.view({**wanted, "tiles": list(places)})
                    by_socket.append((time.perf_counter() - start) * 1e3)
                else:
                    shares = [places[k::_A_BROWSER] for k in range(_A_BROWSER)]
                    list(pool.map(lambda one, share: _get_all(one, base, share), connections, shares))
                    by_http.append((time.perf_counter() - start) * 1e3)
    finally:
        for each in connections:
            each.close()
        await client.close()
    bound = 2 * sorted(by_socket)[len(by_socket) // 2]
    what = f"view of {_A_VIEW} tiles by `.npy`, cold, {words(rows)} rows"
    return Figure(what, "ms", by_http, "median", bound, rivals=[Rival("websocket", by_socket)])


def _get_all(kept: Kept, base: str, places: Sequence[Place]) -> None:
    for place in places:
        kept.get(_address(base, place, "npy"))
