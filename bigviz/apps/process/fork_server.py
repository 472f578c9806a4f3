"""Forks the processes of apps from one that has loaded all they need: importing takes seconds, forking milliseconds.

It has no other thread, loads no script, and speaks with the server over a socket of packets, each a JSON object. The
server sends `{"op": "fork", "memory", "directory"}` with two descriptors, of the app's connection and of what it prints
to, and `{"op": "kill", "pid"}`. It is answered `{"pid"}` or `{"error"}`, in order, and told of each end
`{"ended", "status", "why"}`. The directory, where an app puts tables, is removed when it has ended: the server may have
been killed by then.

What an app starts ends with it. Each app has a process between it and this one (see `keeper`), whose pid is the one
that is told; orphans are children of that while it lives, and then of this one. A child here that no app has is thus
left over from an app that has ended, and is killed.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import numpy as np

from bigviz.apps.process.group_memory import children, held, members
from bigviz.apps.process.keeper import die_with_parent, fork_kept, take_orphans

__all__ = ["ForkServer"]

_LONGEST: Final = 1 << 16
_SECONDS_BETWEEN_LOOKS: Final = 1.0
_SECONDS_TO_END: Final = 3.0


class ForkServer:
    """The process between the server and those of its apps, which end with it."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._memory: dict[int, int] = {}
        self._directories: dict[int, str] = {}
        self._why: dict[int, str] = {}
        self._looked = 0.0
        self._woken, self._wakes = socket.socketpair()
        for each in (self._woken, self._wakes):
            each.setblocking(False)
        take_orphans()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)

    def serve(self) -> socket.socket | None:
        """Work until the server is gone, and with it all processes: None. In each process that was forked it returns
        at once, with the connection of the app."""
        while True:
            seconds = _SECONDS_BETWEEN_LOOKS if self._memory else None
            ready, _, _ = select.select([self._server, self._woken], [], [], seconds)
            self._reap()
            if time.monotonic() - self._looked >= _SECONDS_BETWEEN_LOOKS:
                self._looked = time.monotonic()
                self._bound()
            if self._server not in ready:
                continue
            message, descriptors = self._next()
            if message is None:
                self._end()
                return None
            if message["op"] == "kill":
                self._kill(message["pid"])
                continue
            connection = self._fork(message, *descriptors)
            if connection is not None:
                return connection

    def _next(self) -> tuple[dict[str, Any] | None, list[int]]:
        """The next message and its descriptors; None once the server is gone."""
        try:
            text, descriptors, _, _ = socket.recv_fds(self._server, _LONGEST, 2, socket.MSG_CMSG_CLOEXEC)
        except ConnectionResetError:
            return None, []
        return json.loads(text) if text else None, descriptors

    def _fork(self, asked: Mapping[str, Any], connection: int, output: int) -> socket.socket | None:
        """Fork; the app's connection in the new process."""
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._tell({"error": str(error)})
        else:
            if pid == 0:
                return self._begin(parent, connection, output)
            self._memory[pid], self._directories[pid] = asked["memory"], asked["directory"]
            self._tell({"pid": pid})
        os.close(connection)
        os.close(output)
        return None

    def _begin(self, parent: int, connection: int, output: int) -> socket.socket:
        """Be a process of an app, which shares nothing with the others but what was loaded."""
        os.setsid()  # Ctrl-C in a terminal is the server's alone
        die_with_parent(parent)
        take_orphans()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._server, self._woken, self._wakes):
            each.close()
        for stream in (1, 2):
            os.dup2(output, stream)
        os.close(output)
        fork_kept(connection)
        np.random.seed()  # else all would draw the same numbers
        return socket.socket(fileno=connection)

    def _reap(self) -> None:
        """Tell of the apps that have ended, and end what they started."""
        with suppress(BlockingIOError):
            self._woken.recv(1_024)
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            self._end_orphans()
            pid = found.si_pid
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if self._memory.pop(pid, None) is not None:
                self._remove(pid)
                self._tell({"ended": pid, "status": status, "why": self._why.pop(pid, None)})

    def _end_orphans(self) -> None:
        """Kill what ended apps have left. Children of what is killed come here in their turn, as it ends."""
        for pid in children(os.getpid()):
            if pid not in self._memory:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)

    def _bound(self) -> None:
        """End the apps that take more memory than they may, together with the processes that they started: the limit of
        the operating system is one of each."""
        for pid, group in members(self._memory).items():
            most, own = self._memory[pid], [each for each in group if each != pid]
            if len(own) > 1 and sum(map(held, own)) > most:
                self._why[pid] = f"took more than {most >> 20:,} MiB of memory with the processes that it started"
                for each in group:
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(each, signal.SIGKILL)

    def _kill(self, pid: int) -> None:
        if pid in self._memory:
            os.kill(pid, signal.SIGKILL)

    def _end(self) -> None:
        """Let the apps end by themselves, now that nobody speaks with them; then kill those that did not."""
        end = time.monotonic() + _SECONDS_TO_END
        while self._memory and time.monotonic() < end:
            select.select([self._woken], [], [], 0.1)
            self._reap()
        for pid in self._memory:
            os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + _SECONDS_TO_END
        while children(os.getpid()) and time.monotonic() < end:
            select.select([self._woken], [], [], 0.1)
            self._reap()
        for pid in list(self._directories):
            self._remove(pid)

    def _remove(self, pid: int) -> None:
        if pid in self._directories:
            shutil.rmtree(self._directories.pop(pid), ignore_errors=True)

    def _tell(self, message: Mapping[str, Any]) -> None:
        with suppress(OSError):  # the server is gone
            self._server.send(json.dumps(message).encode())
