"""Anonymous memory of a process, watched from outside: what it holds apart from mapped files.

The kernel keeps this number: to read it takes microseconds. `smaps_rollup` would look at every page of the process, for
half a core's time where a store of 10^9 rows is mapped and looked at ten times a second, and hold up its page faults.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Peak", "anonymous", "run_watched", "watched"]

PAUSE = 0.1
_PAGE = os.sysconf("SC_PAGE_SIZE")


def anonymous(pid: int) -> int:
    """Bytes of anonymous memory of a process now; 0 if it is gone."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return (int(resident) - int(shared)) * _PAGE


class Peak:
    """The most anonymous bytes that a process had at one time, from when it is followed."""

    def __init__(self) -> None:
        self.bytes = 0
        self._pid: int | None = None

    def follow(self, pid: int) -> None:
        """Look at this process from now on."""
        self._pid = pid

    def look(self) -> None:
        """Count what it has now."""
        if self._pid is not None:
            self.bytes = max(self.bytes, anonymous(self._pid))


@contextmanager
def watched() -> Iterator[Peak]:
    """Look at a process every 100 ms: a peak between two looks is not seen."""
    peak, done = Peak(), threading.Event()

    def watch() -> None:
        while not done.wait(PAUSE):
            peak.look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def run_watched(command: Sequence[str]) -> tuple[float, int]:
    """Seconds that a command took, and the most anonymous bytes that it had. CalledProcessError if it fails."""
    start = time.perf_counter()
    with watched() as peak:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        peak.follow(process.pid)
        said, _ = process.communicate()
        seconds = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, said)
    return seconds, peak.bytes
