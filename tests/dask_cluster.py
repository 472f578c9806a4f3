"""A Dask cluster of processes that are started by Dask's own command line, and that a test may kill, stop and start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .patience import PATIENCE, until
from .ports import free_port

_LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")


@dataclass
class DaskCluster:
    """`dask scheduler` and `dask worker`s. Each worker is one process, with a cache directory of its own, and what it
    logs is in a file of `folder`. `secured` are Dask's options of certificates, which all of them get."""

    folder: Path
    secured: Sequence[object] = ()
    port: int = field(default_factory=free_port)
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _started: int = 0
    _names: dict[int, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{'tls' if self.secured else 'tcp'}://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        """One at the same address, once it listens."""
        self.scheduler = self._run("scheduler", "--port", self.port)
        until(lambda: "Scheduler at" in self.log("scheduler"))

    def start_worker(self, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Another worker, which may not have registered yet."""
        self._started += 1
        name = f"worker-{self._started}"
        more = ("--no-nanny", "--nthreads", 1, "--memory-limit", 0, "--local-directory", self.folder / name)
        process = self._run("worker", self.address, "--name", name, *more, name=name, environment=environment)
        self.workers.append(process)
        self._names[process.pid] = name
        return process

    def until_registered(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until a worker has found the scheduler."""
        until(lambda: "Registered to" in self.log(self._names[process.pid]))

    def log(self, name: str) -> str:
        """What "scheduler" or "worker-N" has logged since it was started last."""
        return (self.folder / f"{name}.log").read_text()

    def cache_of(self, process: subprocess.Popen[bytes]) -> Path:
        """Where a worker keeps what is to outlive it."""
        return self.folder / f"{self._names[process.pid]}-cache"

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """As SIGKILL does, at once and without a word."""
        process.kill()
        process.wait(PATIENCE)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Let it hang: its connections stay open, and it answers nothing."""
        os.kill(process.pid, signal.SIGSTOP)

    def go_on(self, process: subprocess.Popen[bytes]) -> None:
        """Let a stopped one go on."""
        os.kill(process.pid, signal.SIGCONT)

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                self.kill(process)

    def _run(
        self, kind: str, *words: object, name: str | None = None, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *_LOOPBACK, *self.secured, *words]
        own = {"XDG_CACHE_HOME": str(self.folder / f"{name}-cache"), **(environment or {})}
        with (self.folder / f"{name or kind}.log").open("wb") as log:
            return subprocess.Popen(
                list(map(str, command)), stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **own}
            )


@contextmanager
def dask_cluster(folder: Path, workers: int = 2, secured: Sequence[object] = ()) -> Iterator[DaskCluster]:
    """One with so many workers, all of them there. It is ended with the block."""
    cluster = DaskCluster(folder, secured)
    try:
        cluster.start_scheduler()
        for process in [cluster.start_worker() for _ in range(workers)]:
            cluster.until_registered(process)
        yield cluster
    finally:
        cluster.close()
