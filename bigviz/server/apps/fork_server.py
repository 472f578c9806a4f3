"""The server's end of the process that those of its apps are forked from."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from bigviz.common.daemon_thread import start_daemon
from bigviz.common.process.environment import child_environment

__all__ = ["Forked", "spawn", "warm"]

_LONGEST: Final = 1 << 16  # of a message, which each side reads whole


class Forked:
    """A process that was forked."""

    def __init__(self, link: _Link, pid: int) -> None:
        self._link = link
        self.pid = pid
        self.ended: Future[tuple[int, str | None]] = Future()

    def kill(self) -> None:
        """End it at once."""
        self._link.send({"op": "kill", "pid": self.pid})

    def wait(self) -> tuple[int, str | None]:
        """Its status when it has ended, as `subprocess` has it (negative: a signal), and why the process that it was
        forked from has ended it, if that did."""
        return self.ended.result()


class _Link:
    """One process that forks others, from its start to its end, and theirs with it. Thread-safe."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bigviz.apps.process", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=child_environment(),
                start_new_session=True,  # Ctrl-C in a terminal is the server's alone
            )
        self._lock = threading.Lock()
        self._asked: deque[Future[Forked]] = deque()
        self._forked: dict[int, Forked] = {}
        self.is_over = False
        start_daemon("bigviz-apps", self._listen, stop=self._close)

    def fork(self, connection: socket.socket, output: int, memory: int, directory: Path) -> Forked:
        """A new process with these two; waits until everything is loaded. Raises OSError."""
        future: Future[Forked] = Future()
        with self._lock:
            if self.is_over:
                raise OSError("the process that it is forked from has ended")
            message = json.dumps({"op": "fork", "memory": memory, "directory": str(directory)}).encode()
            self._asked.append(future)  # first: the answer may be there at once
            try:
                socket.send_fds(self._socket, [message], [connection.fileno(), output])
            except OSError:
                self._asked.pop()  # answers come in order, and this has none
                raise
        return future.result()

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell the process something, if it is there."""
        with suppress(OSError):
            self._socket.send(json.dumps(message).encode())

    def _close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        with suppress(OSError):
            while text := self._socket.recv(_LONGEST):
                self._take(json.loads(text))
        self._close()
        self._process.wait()
        with self._lock:
            self.is_over = True
            self._socket.close()
            for future in self._asked:
                future.set_exception(OSError("the process that it is forked from has ended"))
        for process in self._forked.values():
            process.ended.set_result((-signal.SIGKILL, None))

    def _take(self, told: Mapping[str, Any]) -> None:
        if "ended" in told:
            self._forked.pop(told["ended"]).ended.set_result((told["status"], told["why"]))
        elif "pid" in told:
            process = self._forked[told["pid"]] = Forked(self, told["pid"])
            self._asked.popleft().set_result(process)
        else:
            self._asked.popleft().set_exception(OSError(told["error"]))


_lock: Final = threading.Lock()
_links: Final[list[_Link]] = []  # the one of this process, for all its servers


def warm() -> None:
    """Begin to load what processes of apps need, so that the first one need not wait for it."""
    _link()


def spawn(connection: socket.socket, output: int, memory: int, directory: Path) -> Forked:
    """Fork a process of an app, which gets its end of a connection, where what it prints goes, the bytes of memory that
    it may take together with those that it starts, and a directory, which is removed when it has ended, also where this
    process was killed. Blocks. Raises OSError."""
    return _link().fork(connection, output, memory, directory)


def _link() -> _Link:
    with _lock:
        if not _links or _links[0].is_over:
            _links[:] = [_Link()]
        return _links[0]
