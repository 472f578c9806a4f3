"""Checks uploaded files in worker processes that are kept warm: starting one takes as long as checking many files."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from bigviz.common import errors
from bigviz.common.errors import BigvizError, Unreadable
from bigviz.data.uploads.facts import Format, TableFacts

__all__ = ["Validator"]

_MODULE: Final = "bigviz.data.uploads.worker"
_MOST_FILES: Final = 1_000  # that one process checks before another takes its place
_LEAST_SECONDS: Final = 30.0
_BYTES_A_SECOND: Final = 20e6
_LONGEST_LINE: Final = 4 << 20
_KINDS: Final = {"BadInput": errors.BadInput, "TooLarge": errors.TooLarge, "Unreadable": Unreadable}


class Validator:
    """At most `processes` files are checked at a time, each with `memory` bytes. Thread-safe, blocks."""

    def __init__(self, memory: int = 2 << 30, processes: int = 2) -> None:
        self._memory = memory
        self._turns = threading.Semaphore(processes)
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def warm(self) -> None:
        """Start a process, so that the first upload need not wait for it."""
        with self._worker():
            pass

    def check(self, path: Path, format: Format, seconds: float | None = None) -> TableFacts:
        """The facts of a file. Raises what `check_file` does, and Unreadable for a file that ends the process or takes
        it longer than `seconds` (None: 30, and one more for each 20 MB)."""
        most = _LEAST_SECONDS + path.stat().st_size / _BYTES_A_SECOND if seconds is None else seconds
        with self._worker() as worker:
            found = worker.ask({"path": str(path), "format": format}, most)
        if found is None:
            raise Unreadable("The upload could not be checked: reading it fails, or takes too long.", "body")
        if "kind" in found:
            kind: type[BigvizError] = _KINDS.get(found["kind"], Unreadable)
            raise kind(found["message"], found["field"])
        return TableFacts.from_json(found)

    def close(self) -> None:
        """End the processes; those that check a file end after it."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    @contextmanager
    def _worker(self) -> Iterator[_Worker]:
        """A process of one's own, from those that wait, else a new one."""
        with self._turns:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            worker = worker or _Worker(self._memory)
            try:
                yield worker
            finally:
                with self._lock:
                    keep = not self._closed and worker.sound
                    if keep:
                        self._idle.append(worker)
                if not keep:
                    worker.end()


class _Worker:
    """One process. `sound` until it fails, is ended, or has checked many files."""

    def __init__(self, memory: int) -> None:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("BIGVIZ")}  # some are secret
        environment = {**kept, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C in a terminal is the server's alone
        )
        self._files = 0
        self.sound = True

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The answer to a request; None from a process that ends or does not answer in time, and is ended then."""
        self._files += 1
        line = None
        with suppress(OSError):  # it has ended
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._line(time.monotonic() + seconds)
        found: dict[str, Any] | None = None if line is None else json.loads(line)
        # A process that failed at a file, or ran short of memory, may be in any state.
        self.sound = found is not None and "kind" not in found and self._files < _MOST_FILES
        if found is None:
            self.end()
        return found

    def end(self) -> None:
        """End the process, whatever it does."""
        self.sound = False
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _line(self, deadline: float) -> bytes | None:
        assert self._process.stdout is not None
        descriptor, found = self._process.stdout.fileno(), bytearray()
        waiting = select.poll()  # not select.select: a busy server has descriptors above 1,023
        waiting.register(descriptor, select.POLLIN)
        while not found.endswith(b"\n"):
            ready = waiting.poll(max(0.0, deadline - time.monotonic()) * 1e3)
            piece = os.read(descriptor, 1 << 16) if ready else b""
            if not piece or len(found) > _LONGEST_LINE:
                return None
            found += piece
        return bytes(found)
