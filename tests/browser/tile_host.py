"""A host of map tiles on this machine, each pixel of which tells its tile and its place in it."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

SIZE = 256


def tile(z: int, i: int, j: int, size: int = SIZE) -> np.ndarray:
    """RGB, (size, size, 3) uint8: red tells the tile, green the column and blue the row, as of 256."""
    out = np.empty((size, size, 3), np.uint8)
    place = (np.arange(size) * SIZE // size).astype(np.uint8)
    out[..., 0], out[..., 1], out[..., 2] = red(z, i, j), place[None, :], place[:, None]
    return out


def red(z: int, i: int, j: int) -> int:
    return (z * 83 + i * 29 + j * 7) % 256


@dataclass
class TileHost:
    """What it was asked for, each with its headers; `missing` levels are 404, and nothing is answered while `held`."""

    url: str = ""
    cors: bool = True
    missing: set[int] = field(default_factory=set)
    asked: list[tuple[int, int, int]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    going: threading.Event = field(default_factory=threading.Event)

    def forget(self) -> None:
        """Back to the start."""
        self.missing = set()
        for each in (self.asked, self.paths, self.headers):
            each.clear()  # type: ignore[attr-defined]


def _handler(host: TileHost) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.paths.append(self.path)
            host.headers.append(dict(self.headers))
            found = re.fullmatch(r"/(\d+)/(\d+)/(\d+)(@2x)?\.png", self.path)
            assert found, self.path
            z, i, j = map(int, found.groups()[:3])
            host.asked.append((z, i, j))
            host.going.wait()
            if z in host.missing:
                self.send_error(404)
                return
            body = io.BytesIO()
            Image.fromarray(tile(z, i, j, SIZE * (2 if found[4] else 1))).save(body, "PNG", compress_level=1)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body.getvalue())))
            if host.cors:
                self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(body.getvalue())

        def log_message(self, format: str, *args: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):  # a tile that the page no longer wants
                super().handle()

    return Handler


@contextmanager
def tile_host(**options: object) -> Iterator[TileHost]:
    """One that answers until the block ends."""
    host = TileHost(**options)  # type: ignore[arg-type]
    host.going.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(host))
    host.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.going.set()
        server.shutdown()
        server.server_close()
        thread.join()
