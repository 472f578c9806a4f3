"""`bigviz serve --num-procs 2` as a process of its own, and connections to the one or the other of its front ends."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from ...patience import PATIENCE, until
from ..running import Answer, asked
from ..wire import Browser


@dataclass
class FrontEnds:
    """The server, its address, and what it has told."""

    process: subprocess.Popen[str]
    url: str
    lines: queue.SimpleQueue[dict[str, Any]]
    count: int = 2

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").split("/")[2].partition(":")[2])

    @property
    def pids(self) -> list[int]:
        """Those of the front ends, in the order in which they were started."""
        pid = self.process.pid
        if self.count == 1:
            return [pid]
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def connected(self, pid: int) -> socket.socket:
        """A connection that a front end has taken."""
        others = []
        try:
            while True:
                found = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
                if self.holder(found) == pid:
                    return found
                others.append(found)
                for other in others[:-3]:
                    other.close()
        finally:
            for other in others:
                other.close()

    def holder(self, connection: socket.socket) -> int:
        """The front end that has taken a connection."""
        ends = f":{self.port:04X}", f":{connection.getsockname()[1]:04X}"
        found: list[int] = []

        def taken() -> bool:
            inode = next(
                (
                    line[9]
                    for line in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
                    if line[1].endswith(ends[0]) and line[2].endswith(ends[1])
                ),
                None,
            )
            found[:] = [pid for pid in self.pids if inode and f"socket:[{inode}]" in _open_files(pid)]
            return bool(found)

        until(taken)
        return found[0]

    def get(self, pid: int, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request to a front end, its path as it is."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.sock = self.connected(pid)
        try:
            return asked(connection, path, method, body, headers)
        finally:
            connection.close()

    def page(self, pid: int, document: str, **options: Any) -> Browser:
        """A browser without a page at a front end."""
        return Browser(self.url, document, sock=self.connected(pid), **options)

    def told(self, event: str, fits: Callable[[dict[str, Any]], bool] = lambda facts: True) -> dict[str, Any]:
        """The next event of a name that fits; those before it are gone."""
        while True:
            facts = self.lines.get(timeout=PATIENCE)
            if facts["event"] == event and fits(facts):
                return facts


@contextmanager
def front_ends(*arguments: str, count: int = 2, command: Sequence[str] = ("serve",)) -> Iterator[FrontEnds]:
    """A server of so many front ends, all of them loaded; it is ended with the block."""
    words = [sys.executable, "-m", "bigviz", *command, *arguments, "--port", "0", "--no-browser", "--log-json"]
    process = subprocess.Popen([*words, f"--num-procs={count}"], stdout=subprocess.PIPE, text=True)
    lines: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(json.loads(line))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield FrontEnds(process, _address(lines, count if count > 1 else 0), lines, count)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        thread.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()


def _address(lines: queue.SimpleQueue[dict[str, Any]], count: int) -> str:
    """The address, once so many processes answer."""
    url = ""
    while not url or count:
        facts = lines.get(timeout=PATIENCE)
        if facts["event"] == "listening":
            url = str(facts["url"])
        count -= facts["event"] == "process" and facts["done"] == "answers"
    return url[: url.index("/", 8) + 1]


def open_sockets(pid: int) -> list[str]:
    """The sockets that a process has open."""
    return [each for each in _open_files(pid) if each.startswith("socket:")]


def _open_files(pid: int) -> list[str]:
    found = []
    with suppress(OSError):
        for each in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                found.append(os.readlink(f"/proc/{pid}/fd/{each}"))
    return found
