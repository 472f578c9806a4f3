"""The tables that the browser tests show, and the server that serves them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import numpy as np

from ..patience import PATIENCE
from ..serving import served

LABELS = ("ash", "beech", "cedar", "elm", "fir")
ROWS = 200_000
WALK_ROWS = 120_000
GAP = slice(40_000, 44_000)
START = np.datetime64("2021-03-01T00:00:00", "ns")


@dataclass(frozen=True)
class Tables:
    """The rows that the pages show."""

    x: np.ndarray
    y: np.ndarray
    value: np.ndarray
    kind: np.ndarray  # codes into LABELS
    time: np.ndarray  # ns since the epoch
    walk: np.ndarray  # NaN in the gap


def make_tables() -> Tables:
    """Two clouds of points within [-3, 3], and a walk with a step a minute."""
    rng = np.random.default_rng(20_21)
    near = rng.normal(0, 0.4, (ROWS // 2, 2))
    wide = rng.uniform(-2.9, 2.9, (ROWS - len(near), 2))
    x, y = np.concatenate([near, wide]).astype(np.float32).clip(-2.95, 2.95).T
    value = (x * 10 + rng.normal(0, 1, ROWS)).astype(np.float32)
    walk = np.cumsum(rng.normal(0, 1, WALK_ROWS))
    walk[GAP] = np.nan
    time = START.astype(np.int64) + np.arange(WALK_ROWS) * 60_000_000_000
    return Tables(x, y, value, rng.integers(0, len(LABELS), ROWS), time, walk)


@dataclass
class Server:
    """A bigviz server, and what ends it."""

    url: str
    ending: ExitStack

    def stop(self) -> None:
        """End it, if it has not ended."""
        self.ending.close()


# `bigviz` with the page's files of another folder.
WITH_STATIC = """import sys
from pathlib import Path
from bigviz.cli import main
from bigviz.server.http import pages
pages.STATIC = Path(sys.argv.pop(1))
main()"""


def start_server(*arguments: str, cwd: Path, port: int = 0, static: Path | None = None) -> Server:
    """Runs `bigviz serve`: as a process, where scripts may fail or the page's files are those of another folder, and
    waits until it prints its address; else in a thread."""
    if static is None and "--dev" not in arguments:
        ending = ExitStack()
        running = ending.enter_context(served([*arguments, "--port", str(port)], cwd))
        return Server(running.url.rstrip("/"), ending)
    program = ["-m", "bigviz"] if static is None else ["-c", WITH_STATIC, str(static)]
    command = [sys.executable, *program, "serve", *arguments, "--no-browser", "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    lines: Queue[str | None] = Queue()

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    told = []
    try:
        while (line := lines.get(timeout=PATIENCE)) is not None:
            told.append(line)
            if found := re.search(r"http://[\w.:]+", line):
                ending = ExitStack()
                ending.callback(_end, process)
                return Server(found[0].rstrip("/"), ending)
    except Empty:
        process.terminate()
        raise
    raise RuntimeError(f"bigviz serve ended:\n{''.join(told)}")


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(PATIENCE)
    assert process.stdout
    process.stdout.close()
