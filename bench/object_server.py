"""`python -m bench.object_server DIRECTORY`: a directory as a bucket of S3 on loopback, for reading by ranges.

It answers what S3 answers to "get object" (Range, If-Match, ETag) and nothing else, whoever asks, and sends files
without copying them, so what is measured is bigviz. moto's server reads an object whole for each range.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

__all__ = ["BUCKET", "object_server"]

BUCKET = "bench"


@contextmanager
def object_server(directory: Path) -> Iterator[dict[str, str]]:
    """A server in a process of its own: the environment in which `s3://bench/NAME` is a file of the directory."""
    command = [sys.executable, "-m", "bench.object_server", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            keys = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": "us-east-1"}
            yield {**os.environ, **keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        finally:
            server.kill()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    directory: ClassVar[Path]

    def log_message(self, *_: object) -> None:
        """Nothing is written."""

    def do_GET(self) -> None:
        path = self.directory / Path(self.path).name
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
            if self.headers.get("If-Match", etag) != etag:
                self._head(412, 0, etag)
                return
            first, last = (int(each) for each in self.headers["Range"].removeprefix("bytes=").split("-"))
            stop = min(last + 1, status.st_size)
            self._head(206, stop - first, etag, f"bytes {first}-{stop - 1}/{status.st_size}")
            while first < stop:
                first += os.sendfile(self.connection.fileno(), file.fileno(), first, stop - first)

    def _head(self, status: int, length: int, etag: str, part: str | None = None) -> None:
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", "Mon, 30 Nov 2026 12:00:00 GMT")
        self.send_header("Content-Length", str(length))
        if part is not None:
            self.send_header("Content-Range", part)
        self.end_headers()
        self.wfile.flush()


def main() -> None:
    """Serve until killed; the port is printed."""
    _Handler.directory = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
