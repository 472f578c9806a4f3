"""Anonymous memory of a process, watched from outside: what it holds besides mapped files."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

__all__ = ["anonymous", "run_watched"]

PAUSE = 0.1


def anonymous(pid: int) -> int:
    """Bytes of anonymous memory of a process now; 0 if it is gone."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def run_watched(command: Sequence[str]) -> tuple[float, int]:
    """Seconds that a command took, and the most anonymous bytes that it had at one time.

    Looked at every 100 ms: a peak between two looks is not seen. CalledProcessError if it fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    most, done = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(PAUSE):
            most = max(most, anonymous(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    said, _ = process.communicate()
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, said)
    return seconds, most
