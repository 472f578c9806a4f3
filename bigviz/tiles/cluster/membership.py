"""Which workers of a Dask cluster are there: all that its scheduler knows, run this version of bigviz, and answer."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from distributed import Client

from bigviz import __version__
from bigviz.common.errors import BadInput
from bigviz.tiles.cluster.messages import Answer, encoded
from bigviz.tiles.cluster.part_host import PROTOCOL
from bigviz.tiles.cluster.worker_plugin import ASK, HostPlugin, HostSettings

__all__ = ["Membership"]

_log = logging.getLogger("bigviz")

_ROUND: Final = 1.0  # seconds between two looks at who is there
_LEAVE: Final = 2.0  # seconds to say good-bye
_SETS_UP: Final = 0.05  # seconds between two looks at who is there, at first
_HANGS: Final = 10.0  # seconds without an answer to a greeting, after which a worker counts as gone
_LOADS: Final = 60.0  # seconds in which all workers are to load what they run; others are used once they have


class Membership:
    """Looks at who is there, once a second, in a thread of its own. Safe to use from any number of threads."""

    def __init__(self, join: Callable[[], Client], settings: HostSettings) -> None:
        """`join` makes a client, also once the scheduler was lost, and all of them on one loop. Raises what it does,
        and BadInput where a worker runs another version of bigviz, or there is none."""
        self._join, self._settings = join, settings
        self._client = join()
        self.loop: asyncio.AbstractEventLoop = self._client.loop.asyncio_loop
        self._lock = threading.Lock()
        self._there: dict[str, asyncio.Event] = {}  # of each worker that is there: set once it is not
        self._refused: set[str] = set()
        self._silent: set[str] = set()  # those whose last greeting was not answered
        self._scheduler = self._told = ""  # its name for itself, and that of the one that was told what workers run
        self._greetings: dict[str, asyncio.Task[None]] = {}  # those that are not answered yet
        self._idents = itertools.count()
        self._closed = threading.Event()
        self.losses: list[Callable[[], None]] = []  # called on the loop whenever a worker is lost
        self.joins: list[Callable[[], None]] = []  # and whenever one has joined
        self.lost_so_far = 0
        try:
            self._begin()
        except BaseException:
            self._client.close(timeout=_LEAVE)
            raise
        self._watcher = threading.Thread(target=self._watch, name="bigviz-workers", daemon=True)
        self._watcher.start()

    def _begin(self) -> None:
        try:
            self._register()
        except Exception as error:  # whatever keeps a worker from loading it
            raise BadInput(f"A worker could not load bigviz {__version__}: {error}", "scheduler") from error
        end = time.monotonic() + _HANGS
        while asyncio.run_coroutine_threadsafe(self._meet(first=True), self.loop).result():
            if time.monotonic() > end:
                break
            time.sleep(_SETS_UP)
        if not self._there:
            who = ", ".join(sorted(self._silent))
            words = f"those at {who} do not answer: end them, and start others" if who else "start some"
            raise BadInput(f"The cluster has no workers that could be used; {words}, then the server.", "scheduler")
        self._told = self._scheduler

    def _register(self) -> None:
        """Have all workers load the plugin, also those that come later. Raises what keeps one from it. A worker that
        hangs delays this by no more than `_LOADS`; greetings find out which one it is."""
        plugin = HostPlugin(self._settings)
        with suppress(TimeoutError):
            self._client.sync(self._client.register_plugin, plugin, callback_timeout=_LOADS)

    def close(self) -> None:
        """Look no more, and leave the cluster."""
        self._closed.set()
        with suppress(OSError):  # a scheduler that hangs is left alone
            self._client.close(timeout=_LEAVE)

    @property
    def is_closed(self) -> bool:
        """Whether the cluster was left."""
        return self._closed.is_set()

    @property
    def there(self) -> list[str]:
        """The addresses of those that are there."""
        with self._lock:
            return list(self._there)

    def gone(self, worker: str) -> asyncio.Event | None:
        """What is set once a worker is not there any more; None where it is not."""
        return self._there.get(worker)

    def rpc(self, worker: str) -> Any:
        """What the handlers of a worker are called by, on the loop."""
        return self._client.rpc(worker)

    def lost(self, worker: str, error: BaseException | str) -> None:
        """A worker does not answer any more."""
        with self._lock:
            gone = self._there.pop(worker, None)
            self.lost_so_far += gone is not None
        if gone is None:
            return
        gone.set()
        if not self._closed.is_set():  # else they end as they should
            _log.warning("the worker at %s is lost (%s): others take its rows", worker, error)
            for tell in self.losses:
                tell()

    def _watch(self) -> None:
        there = True
        while not self._closed.wait(_ROUND):
            try:
                if self._client.status == "closed":  # Dask has looked for its scheduler long enough
                    self._rejoin()
                asyncio.run_coroutine_threadsafe(self._meet(), self.loop).result()
                if self._scheduler != self._told:  # another one at the same address, which Dask has found by itself
                    self._register()
                    self._told = self._scheduler
            except Exception as error:
                if there and not self._closed.is_set():
                    _log.warning("the cluster's scheduler does not answer, and is looked for: %s", error)
                there = False
            else:
                if not there:
                    _log.warning("the cluster's scheduler answers again")
                there = True

    def _rejoin(self) -> None:
        """Come back to the scheduler. Who still waits for an answer by way of the old connection asks again."""
        client = self._join()
        with self._lock:
            gone, self._there = self._there, {}
            self.lost_so_far += len(gone)
        self._client = client
        self._told = ""
        for each in gone.values():
            self.loop.call_soon_threadsafe(each.set)

    async def _meet(self, first: bool = False) -> set[str]:
        """See which workers are there, greet them, and drop those that do not answer. Returns those that are there and
        not known yet: another server may have had them load the plugin, and they have not finished."""
        told = await asyncio.wait_for(self._client.scheduler.identity(n_workers=-1), _HANGS)
        self._scheduler, there = told["id"], set(told["workers"])
        self._refused &= there  # another one may have that address later
        self._silent &= there
        for worker in [each for each in self._there if each not in there]:
            self.lost(worker, "it has left the cluster")
        for worker in sorted(there - self._refused - self._greetings.keys()):  # one that hangs does not hold up others
            greeting = self._greetings[worker] = asyncio.ensure_future(self._greet(worker, first))
            greeting.add_done_callback(partial(self._greeted, worker))
        if first:
            await asyncio.gather(*self._greetings.values())
        return there - self._there.keys()

    def _greeted(self, worker: str, greeting: asyncio.Task[None]) -> None:
        self._greetings.pop(worker, None)

    async def _greet(self, worker: str, first: bool) -> None:
        message = encoded(Answer({"ask": "hello"}))
        try:
            call = getattr(self._client.rpc(worker), ASK)(**message, ident=f"hello-{next(self._idents)}")
            answer = await asyncio.wait_for(call, _HANGS)
            facts = json.loads(answer["head"])
            version, same = facts["version"], facts["protocol"] == PROTOCOL
        except (OSError, TimeoutError) as error:
            if worker not in self._there and worker not in self._silent:
                _log.warning("the worker at %s does not answer, and is used once it does", worker)
            self._silent.add(worker)
            self.lost(worker, str(error) or "it does not answer")
            return
        except Exception as error:  # its plugin is not set up yet, or cannot be
            _log.debug("the worker at %s cannot be asked: %s", worker, error)
            return
        self._silent.discard(worker)
        if same and version == __version__:
            with self._lock:
                joined = worker not in self._there
                self._there.setdefault(worker, asyncio.Event())
            if joined:
                for tell in self.joins:
                    tell()
            return
        words = f"The worker at {worker} runs bigviz {version}, this is {__version__}: install the same one."
        if first:
            raise BadInput(words, "scheduler", version)
        self._refused.add(worker)
        _log.warning("%s", words)
