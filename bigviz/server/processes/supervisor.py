"""The process that starts those behind a port, starts one again that has ended, and ends them.

It has no threads and loads nothing of the engine: each of the others begins as a copy of it.
"""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import signal
import socket
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from bigviz.common.errors import BadInput, BigvizError
from bigviz.library.library import Library
from bigviz.library.storage.directory import ServerLock, make_directory
from bigviz.server.processes.bound import Bound
from bigviz.server.processes.front_end import WRITER, FrontEnd
from bigviz.server.processes.shared_counts import SharedCounts

if TYPE_CHECKING:
    from bigviz.server.run.options import Options

__all__ = ["Supervisor"]

Serve = Callable[[FrontEnd], int]
Report = Callable[..., None]

_BACKLOG: Final = 1_024
_FAILED: Final = 1  # the exit status of a process that could not open the documents
_SECONDS_FOR_OTHERS: Final = 3.0  # to pass on what they have in hand to the one that writes
_SECONDS_TO_STOP: Final = 9.5  # in all: others kill after 10 s
_STEADY: Final = 10.0  # seconds after which one that ends is started again at once
_LONGEST_PAUSE: Final = 30.0
_SIGNALS: Final = frozenset((signal.SIGCHLD, signal.SIGINT, signal.SIGTERM))


@dataclass
class _Child:
    """One that runs, since a time; or, without a `pid`, is to be started at one."""

    number: int
    pid: int | None = None
    at: float = 0.0
    starts: int = 0
    failures: int = 0
    is_told: bool = False  # to end


class Supervisor:
    """Of `count` processes. `serve` is called in each, and gives its exit status. `beside` is called in one more, which
    they need, so it ends after them. Raises BadInput for options that cannot be, for a port that is taken, and for a
    library that another server has."""

    def __init__(
        self, options: Options, count: int, serve: Serve, report: Report, beside: Serve | None = None
    ) -> None:  # fmt: skip
        self._serve = serve
        self._beside = beside
        self._count = count
        self._report = report
        self._lock = _checked(options)
        self._bound = Bound.of(options)
        self._folder, self._inner = self._inner_sockets(count)
        self._children = [_Child(number) for number in range(count + (beside is not None))]
        self._counts = SharedCounts(len(self._children))
        self._epoch = secrets.randbits(32)
        self._lifeline = os.pipe()
        self._stopping: float | None = None
        self._status = 0

    def run(self) -> int:
        """Serve until a signal ends it: the exit status."""
        gc.collect()
        gc.freeze()  # what is there already stays shared
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            while self._stopping is None or any(each.pid for each in self._children):
                self._start_due(before)
                self._stop_due()
                self._wait()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self._bound.close()
            shutil.rmtree(self._folder, ignore_errors=True)
        self._report("stopped")
        return self._status

    def _inner_sockets(self, count: int) -> tuple[Path, Sequence[socket.socket]]:
        """The sockets at which the processes listen to each other, and their directory, which is for this user alone.
        Raises BadInput where they cannot be."""
        folder: Path | None = None
        try:
            folder = Path(tempfile.mkdtemp(prefix="bigviz-"))
            return folder, [_inner(folder / str(number)) for number in range(count)]
        except OSError as error:
            self._bound.close()
            where = "a directory for temporary files" if folder is None else str(folder)
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            raise BadInput(
                f"The processes of --num-procs need sockets in {where}, and have none: {error.strerror or error}."
                " Set TMPDIR to another directory, whose path is short.",
                "num-procs",
            ) from None

    # --- starting ----------------------------------------------------------------------------------------------------

    def _start_due(self, mask: Any) -> None:
        for each in self._children:
            if self._stopping is None and each.pid is None and each.at <= time.monotonic():
                self._start(each, mask)

    def _start(self, child: _Child, mask: Any) -> None:
        try:
            pid = os.fork()
        except OSError as error:  # no memory, or too many processes: others go on
            child.at = time.monotonic() + _LONGEST_PAUSE
            why = f"process {child.number} cannot be started, and is tried again in {_LONGEST_PAUSE:.0f} s"
            self._report("log", level="error", logger="bigviz", message=f"{why}: {error.strerror}")
            return
        if not pid:
            self._be(child, mask)
        child.pid, child.at = pid, time.monotonic()
        child.starts += 1

    def _be(self, child: _Child, mask: Any) -> NoReturn:
        """The new process: it ends here."""
        status = _FAILED
        try:
            os.close(self._lifeline[1])
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's reaches all, and this one is told by the first
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            front_end = FrontEnd(
                child.number, self._count, self._bound, self._inner, self._counts, self._epoch,
                self._lifeline[0], child.starts > 0,
            )  # fmt: skip
            status = self._serve_of(child)(front_end)
        except BigvizError as error:
            if self._is_needed(child) or child.starts:
                os.write(2, f"Error: {error.message}\n".encode())
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(status)

    def _serve_of(self, child: _Child) -> Serve:
        if child.number < self._count:
            return self._serve
        assert self._beside is not None
        return self._beside

    def _is_needed(self, child: _Child) -> bool:
        """Whether nothing is served if it cannot be started."""
        return child.number in (WRITER, self._count)

    # --- ending ------------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Wait for a signal, or until something is due."""
        due = [each.at for each in self._children if each.pid is None and self._stopping is None]
        if self._stopping is not None:
            due.append(time.monotonic() + 0.1)
        seconds = max(0.0, min(due) - time.monotonic()) if due else 3_600.0
        found = signal.sigtimedwait(_SIGNALS, seconds)
        if found is not None and found.si_signo != signal.SIGCHLD:
            self._end()
        self._reap()

    def _end(self) -> None:
        """End all; at once, where that was asked for before."""
        if self._stopping is not None:
            self._signal(signal.SIGTERM, everyone=True)
            return
        self._stopping = time.monotonic()
        self._bound.close()
        self._signal(signal.SIGTERM, everyone=False)

    def _stop_due(self) -> None:
        """The one that writes ends after the others, which pass on to it what they have in hand; the one that all of
        them need ends last."""
        if self._stopping is None:
            return
        passed = time.monotonic() - self._stopping
        writer, *others = self._children[: self._count]
        if not any(each.pid for each in others) or passed > _SECONDS_FOR_OTHERS:
            self._tell(writer)
        if not any(each.pid for each in (writer, *others)):
            for each in self._children[self._count :]:
                self._tell(each)
        if passed > _SECONDS_TO_STOP:
            self._signal(signal.SIGKILL, everyone=True)

    def _tell(self, child: _Child) -> None:
        """Tell a process to end, unless it was told before."""
        if child.pid and not child.is_told:
            child.is_told = True
            os.kill(child.pid, signal.SIGTERM)

    def _signal(self, which: int, everyone: bool) -> None:
        for each in self._children:
            if each.pid and (everyone or not self._is_needed(each)):
                os.kill(each.pid, which)

    def _reap(self) -> None:
        for each in self._children:
            if each.pid is None:
                continue
            pid, status = os.waitpid(each.pid, os.WNOHANG)
            if pid:
                self._ended(each, status)

    def _ended(self, child: _Child, status: int) -> None:
        pid, lived = child.pid, time.monotonic() - child.at
        child.pid, is_loaded = None, self._counts.is_loaded(child.number)
        self._counts.forget(child.number)
        if self._stopping is not None:
            return
        code = os.waitstatus_to_exitcode(status)
        if code and not is_loaded and self._is_needed(child) and child.starts == 1:
            self._status = code if code > 0 else _FAILED
            self._end()
            return
        child.failures = 0 if lived > _STEADY else child.failures + 1
        pause = 0.0 if child.failures < 2 else min(_LONGEST_PAUSE, 0.25 * 2.0**child.failures)
        child.at = time.monotonic() + pause
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        self._report("process", number=child.number, pid=pid, done=f"has ended ({how}): another one takes its place")


def _checked(options: Options) -> ServerLock | None:
    """Check what the options say, and hold the library. Its database is closed again: a connection must not be taken
    over by another process."""
    if options.library is None:
        options.check(None)
        return None
    directory = Path(options.library).absolute()
    make_directory(directory)
    lock = ServerLock.take(directory)
    with Library.open(directory) as library:
        options.check(library)
    return lock


def _inner(path: Path) -> socket.socket:
    """A socket at which one process listens to the others; its directory is for this user alone."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        os.chmod(path, 0o600)
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made
