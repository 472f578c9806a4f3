"""An event loop in a thread of its own, with one backend for all plots of a kernel.

A kernel's main thread computes what its cells say, for hours perhaps: plots answer from here meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, ParamSpec, TypeVar

from bigviz.common.daemon_thread import start_daemon
from bigviz.common.memory import total_memory
from bigviz.data.dataset import Dataset
from bigviz.document.spec import Document
from bigviz.server.access.hosts import Hosts
from bigviz.server.http.layer_bodies import LayerBodies
from bigviz.server.jobs.service import Backend
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.server.run.index_options import Storage
from bigviz.server.run.loading import engine_of
from bigviz.server.site import Site

__all__ = ["EngineThread"]

P = ParamSpec("P")
T = TypeVar("T")

_SHARE: Final = 8  # of the machine's memory, an eighth is for caches: the notebook's own tables are there too
_LIMITS: Final = Limits(stalled_seconds=86_400.0)  # a kernel that computes reads nothing meanwhile


class EngineThread:
    """Begins when it is made, and ends with `close` or with the interpreter. `post`, `ask` and `close` may be called
    from any thread but its own."""

    def __init__(self, storage: Storage | None = None) -> None:
        self._storage = storage or Storage(memory=total_memory() // _SHARE)
        self._metrics = Metrics()
        self._began = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._backend: Backend | None = None
        self._shown: Counter[Dataset] = Counter()
        self._thread = start_daemon("bigviz-notebook", self._run, stop=self._stop)

    def post(self, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call a function on the loop, after those posted before; nothing happens once the thread has ended."""
        with suppress(RuntimeError):  # the loop is closed
            self._running().call_soon_threadsafe(lambda: call(*args, **kwargs))

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine, which runs on the loop; raises what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._running()).result()

    def site(self, document: Document) -> Site:
        """A site of one document. On the loop only."""
        backend = self._backend
        assert backend is not None
        site = Site(Hosts.of("127.0.0.1", 0), limits=_LIMITS, metrics=self._metrics)
        backend.publish(document)
        site.publish([document], backend, LayerBodies())
        self._shown.update(_tables(document))
        return site

    def end(self, site: Site, document: Document) -> None:
        """End a site, and forget what no other site shows. On the loop only."""
        site.close()
        self._shown.subtract(_tables(document))
        for table in _tables(document):
            if self._shown[table] <= 0:
                del self._shown[table]
                if self._backend is not None:
                    self._backend.engine.forget(table)

    def close(self) -> None:
        """Cancel all that runs, and wait for the end of the thread."""
        self._stop()
        self._thread.join()

    def _running(self) -> asyncio.AbstractEventLoop:
        self._began.wait()
        if self._failure is not None:
            raise self._failure
        assert self._loop is not None
        return self._loop

    def _stop(self) -> None:
        if self._loop is not None and self._stopping is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:
            self._failure = failure
        finally:
            self._began.set()

    async def _serve(self) -> None:
        self._stopping, self._loop = asyncio.Event(), asyncio.get_running_loop()
        self._backend = Backend(engine_of(self._storage), _LIMITS, self._metrics)
        self._began.set()
        await self._stopping.wait()
        self._backend.close()


def _tables(document: Document) -> set[Dataset]:
    return {each for each in document.sources.values() if isinstance(each, Dataset)}
