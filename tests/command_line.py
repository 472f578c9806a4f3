"""`bigviz` as processes, and the tables that they are given."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .fetch import fetched
from .patience import PATIENCE

BIGVIZ = (sys.executable, "-m", "bigviz")
ROWS = 1_000


def tables_in(made: Path) -> Path:
    """trips, part-0 and part-1, a file that is broken, an empty one, and a directory without any."""
    rng = np.random.default_rng(2)
    table = pa.table(
        {"x": rng.random(ROWS), "y": rng.random(ROWS), "fare": rng.random(ROWS), "k": ["a", "b"] * (ROWS // 2)}
    )
    for name in ("trips", "part-0", "part-1"):
        pq.write_table(table, made / f"{name}.parquet")
    (made / "broken.parquet").write_bytes(b"PAR1" + bytes(100))
    (made / "empty.parquet").write_bytes(b"")
    (made / "nothing").mkdir()
    return made


def ran(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [*BIGVIZ, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)  # type: ignore[call-overload]


class Process:
    """A `bigviz` that runs, its lines read as they come."""

    def __init__(self, *arguments: object, command: Sequence[object] = BIGVIZ, **options: object) -> None:
        self.process = subprocess.Popen(
            [str(each) for each in (*command, *arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,  # type: ignore[call-overload]
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.seen: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def until(self, word: str, seconds: float = PATIENCE) -> str:
        """The next line with a word in it."""
        while True:
            self.seen.append(self.lines.get(timeout=seconds))
            if word in self.seen[-1]:
                return self.seen[-1]

    def end(self, ending: signal.Signals = signal.SIGTERM) -> str:
        """Ask it to end, and what it had printed on stderr."""
        self.process.send_signal(ending)
        return self.process.stderr.read()

    def close(self) -> None:
        """End it in any case."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


@contextmanager
def serving(*arguments: object) -> Iterator[tuple[Process, str]]:
    """`bigviz serve ... --port 0 --no-browser`, and its address."""
    process = Process(*arguments, "--port", 0, "--no-browser")
    try:
        line = process.until("http")
        yield process, next(word for word in line.replace('"', " ").split() if word.startswith("http"))
    finally:
        process.close()


def layer(url: str, more: str = "") -> dict:
    return json.loads(fetched(f"{url}layers/0/tilejson.json{more}"))
