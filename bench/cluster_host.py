"""A Dask cluster whose scheduler and workers are processes of their own, so that the time of the one that measures is
the front end's alone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from distributed import Client

from bigviz.tiles.cluster.local_cluster import started
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.cluster.workers import Workers

__all__ = ["Counted", "hosted"]


class Counted(Workers):
    """Workers whose answers' bytes are counted."""

    received = 0

    async def answers(self, *asked: Any) -> list[Answer]:
        found = await super().answers(*asked)
        self.received += sum(len(body) for answer in found for body in answer.bodies)
        return found


@contextmanager
def hosted(workers: int, settings: HostSettings) -> Iterator[Counted]:
    """So many workers as `--workers` starts them: on this machine, with TLS and a key of their own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_host, args=(workers, there))
    process.start()
    try:
        address, security = here.recv()
        found = Counted(partial(Client, address, security=security, set_as_default=False), settings)
        try:
            yield found
        finally:
            found.close()
    finally:
        here.close()
        process.join()


def _host(workers: int, other: Connection) -> None:
    with started(workers) as cluster:
        other.send((cluster.scheduler_address, cluster.security))
        other.poll(None)  # until it is closed
