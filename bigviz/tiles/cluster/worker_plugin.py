"""What a Dask worker runs: it answers questions about the parts of tables that it holds."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cachetools import LRUCache
from distributed import Worker, WorkerPlugin

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, BigvizError, Unreadable, out_of_memory
from bigviz.common.memory import keep_freed, total_memory
from bigviz.common.process.remote_errors import error_json
from bigviz.tiles.cluster.messages import Answer, decoded, encoded
from bigviz.tiles.cluster.part_host import PartHost
from bigviz.tiles.engine import Engine
from bigviz.tiles.store.catalog.directory import StoreDirectory

__all__ = ["ASK", "CANCEL", "HostPlugin", "HostSettings"]

_log = logging.getLogger("bigviz")

ASK: Final = "bigviz_ask"
CANCEL: Final = "bigviz_cancel"
_MOST_EARLY: Final = 4096  # cancels that are remembered
_CALLERS: Final = 64  # threads that answer, most of which wait
_PREPARING: Final = 32  # threads in which brushes are waited for, which takes seconds: tiles have others
_TILES: Final = 16 << 20  # bytes of tiles: the server keeps those that are whole


@dataclass(frozen=True)
class HostSettings:
    """What the operator gives each worker: where its indexes are kept (None: the user's cache directory there), how
    much of the disk and of its memory they take (None: a quarter of what is free, and half), and which are made."""

    directory: str | None
    limit: int | None
    memory: int | None
    index: str


class HostPlugin(WorkerPlugin):  # type: ignore[misc]
    """Has a worker answer. A second server with the same plugin shares what is there."""

    name = "bigviz"
    idempotent = True

    def __init__(self, settings: HostSettings) -> None:
        self.settings = settings

    def setup(self, worker: Worker) -> None:
        """Begin to answer; called by Dask on each worker, those included that come later."""
        keep_freed()  # which Dask's nannies tell their workers not to: indexing takes a quarter more time then
        threads, memory = worker.state.nthreads, worker.memory_manager.memory_limit
        self._host = PartHost(_engine(self.settings, threads, memory), threads)
        self.tables = self._host.tables
        self._pool = ThreadPoolExecutor(_CALLERS, thread_name_prefix="bigviz-answer")
        self._preparing = ThreadPoolExecutor(_PREPARING, thread_name_prefix="bigviz-prepare")
        self._cancels: dict[str, Cancel] = {}
        self._early: LRUCache[str, None] = LRUCache(_MOST_EARLY)  # cancelled before they were asked
        worker.handlers[ASK] = self.ask
        worker.handlers[CANCEL] = self.cancel

    def teardown(self, worker: Worker) -> None:
        """Begin nothing any more; called by Dask."""
        for pool in (self._pool, self._preparing):
            pool.shutdown(wait=False, cancel_futures=True)

    async def ask(self, head: str, bodies: list[bytes], ident: str) -> dict[str, Any]:
        """Answer a message: with an error, where it cannot be answered."""
        asked = decoded({"head": head, "bodies": bodies})
        if asked.head["ask"] == "hello":  # at once: a worker whose threads are all busy is not lost
            return self._answer(asked, NEVER)
        cancel = self._cancels[ident] = Cancel()
        if ident in self._early:
            cancel.cancel()
        pool = self._preparing if asked.head.get("do") in ("begin", "wait") else self._pool
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, self._answer, asked, cancel)
        finally:
            self._cancels.pop(ident, None)

    async def cancel(self, ident: str) -> None:
        """Nobody waits for an answer any more."""
        found = self._cancels.get(ident)
        if found is None:
            self._early[ident] = None
        else:
            found.cancel()

    def _answer(self, asked: Answer, cancel: Cancel) -> dict[str, Any]:
        try:
            return encoded(self._host.answer(asked, cancel))
        except BigvizError as error:
            return encoded(Answer({"error": error_json(error)}))
        except MemoryError:
            return encoded(Answer({"error": error_json(out_of_memory())}))
        except Exception:
            _log.exception("a question could not be answered: %s", asked.head.get("ask"))
            words = "A worker of the cluster could not answer; its log says why."
            return encoded(Answer({"error": error_json(Unreadable(words))}))


def _engine(settings: HostSettings, threads: int, limit: int | None) -> Engine:
    """The engine of a worker to which Dask gives so much memory (None or 0: all that there is)."""
    memory = settings.memory or min(limit or total_memory(), total_memory()) // 2
    stores = None
    if settings.index != "never":
        try:
            stores = StoreDirectory(None if settings.directory is None else Path(settings.directory), settings.limit)
        except BadInput as error:
            _log.warning("Indexes are neither used nor kept: %s", error.message)
    return Engine(_TILES, threads, memory, stores, settings.index)  # type: ignore[arg-type]
