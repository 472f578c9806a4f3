"""The workers of a Dask cluster, as a server sees them: which one holds which part of a table, and how it is asked.

A question tells all that its answer depends on, so a worker that has just come, or that has lost what it held, says
what it lacks, is given that, and answers. The rows of one that is gone are another one's from the next question on.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from distributed import Client

from bigviz import __version__
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Busy, Cancelled, Unreadable
from bigviz.data.dataset import Dataset
from bigviz.tiles.cluster.messages import Answer, decoded, encoded, raised
from bigviz.tiles.cluster.part_host import PROTOCOL
from bigviz.tiles.cluster.worker_plugin import ASK, CANCEL, HostPlugin, HostSettings

__all__ = ["Moved", "Part", "Workers"]

_log = logging.getLogger("bigviz")

T = TypeVar("T")

_LOOK: Final = 0.02  # seconds between two looks at a caller's cancel flag
_ROUND: Final = 1.0  # seconds between two looks at who is there
_LEAVE: Final = 2.0  # seconds to say good-bye
_HANGS: Final = 10.0  # seconds without an answer to a greeting, after which a worker counts as gone
_PATIENCE: Final = 60  # tries, half a second apart, to find a worker for a part


@dataclass(frozen=True)
class Part:
    """The pieces `first` to `stop` (exclusive) of `Dataset.chunks()`: so many `rows`."""

    dataset: str
    first: int
    stop: int
    rows: int


class Moved(Busy):
    """A part is not held by the worker any more that had the index that is asked."""

    def __init__(self) -> None:
        super().__init__("A worker of the cluster was lost, and its rows are indexed again by others: try again.")


class Workers:
    """Safe to use from any number of threads."""

    def __init__(
        self, join: Callable[[], Client], settings: HostSettings, end: Callable[[], object] | None = None
    ) -> None:
        """`join` makes a client, also once the scheduler was lost, and all of them on one loop; `end` ends what was
        started for this. Raises what `join` does, and BadInput where a worker runs another version of bigviz, or there
        is none."""
        self._join, self._settings, self._end = join, settings, end
        self._client = join()
        self.loop: asyncio.AbstractEventLoop = self._client.loop.asyncio_loop
        self._lock = threading.Lock()
        self._there: dict[str, asyncio.Event] = {}  # of each worker that is there: set once it is not
        self._refused: set[str] = set()
        self._datasets: dict[str, Dataset] = {}
        self._parts: dict[str, tuple[Part, ...]] = {}
        self._holder: dict[Part, str] = {}
        self._epochs: dict[Part, int] = {}  # raised whenever a worker begins to hold it
        self._labels: dict[tuple[str, str], bytes] = {}
        self._losses: list[Callable[[], None]] = []
        self._name, self._idents = uuid.uuid4().hex, itertools.count()
        self._closed = threading.Event()
        try:
            self._client.register_plugin(HostPlugin(settings))
        except Exception as error:  # whatever keeps a worker from loading it
            raise BadInput(f"A worker could not load bigviz {__version__}: {error}", "scheduler") from error
        self._wait(self._meet(first=True), Cancel())
        self._watcher = threading.Thread(target=self._watch, name="bigviz-workers", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Ask nobody any more, and end what was started for this."""
        self._closed.set()
        with suppress(OSError):  # a scheduler that hangs is left alone
            self._client.close(timeout=_LEAVE)
        if self._end is not None:
            self._end()

    def on_loss(self, tell: Callable[[], None]) -> None:
        """Call this, on Dask's loop, whenever a worker is lost."""
        self._losses.append(tell)

    @property
    def known(self) -> int:
        """How many workers there are."""
        return len(self._there)

    def holder(self, part: Part) -> tuple[str, int] | None:
        """Who holds a part, and a number that changes when another one does, or the same one anew; None where the one
        that did is gone."""
        with self._lock:
            worker = self._holder.get(part)
            return (worker, self._epochs.get(part, 0)) if worker is not None and worker in self._there else None

    def parts_of(self, dataset: Dataset) -> tuple[Part, ...]:
        """The parts that a dataset is divided into, in the order of their rows: one for each worker that there is when
        it is first asked for, as equal as its pieces allow."""
        with self._lock:
            found = self._parts.get(dataset.fingerprint)
            if found is None:
                found = _divided(dataset, max(len(self._there), 1))
                self._parts[dataset.fingerprint], self._datasets[dataset.fingerprint] = found, dataset
                for part, worker in zip(found, self._there, strict=False):
                    self._holder[part] = worker
            return found

    def know_labels(self, dataset: Dataset, column: str, labels: bytes) -> None:
        """Keep the labels of a category, for the workers that lack them."""
        with self._lock:
            self._labels[dataset.fingerprint, column] = labels

    def forget(self, dataset: Dataset) -> None:
        """Let workers drop what they hold of a dataset; they are told again when somebody asks."""
        question = {"ask": "forget"}
        for part in self.parts_of(dataset):
            held = self.holder(part)
            if held is not None:
                told = Answer({**question, "dataset": part.dataset, "part": [part.first, part.stop]})
                call = self._call(held[0], told, f"forget-{next(self._idents)}")
                asyncio.run_coroutine_threadsafe(call, self.loop).add_done_callback(_unheard)

    def has_labels(self, dataset: Dataset, column: str) -> bool:
        """Whether the labels of a category are kept."""
        with self._lock:
            return (dataset.fingerprint, column) in self._labels

    def ask(
        self,
        parts: Sequence[Part],
        question: Mapping[str, Any],
        cancel: Cancel,
        answered: Callable[[Part, int, Answer], None] | None = None,
        expected: Mapping[Part, int] | None = None,
    ) -> list[Answer]:
        """The answers of all parts, in their order; `answered` is called as they come, with the number of `holder` and
        on Dask's loop. Raises what an answer tells of, Busy without workers, and Cancelled; with `expected` numbers
        Moved where one is another, else a part that was lost is answered for by the next worker."""
        ident = self.next_ident()
        try:
            return self._wait(self.answers(parts, question, ident, cancel, answered, expected), cancel)
        except Cancelled:
            self.cancel(ident, parts)
            raise

    def next_ident(self) -> str:
        """A name for a question."""
        return f"{self._name}-{next(self._idents)}"

    def cancel(self, ident: str, parts: Sequence[Part]) -> None:
        """Tell the workers that nobody waits for the answer to a question any more."""
        asyncio.run_coroutine_threadsafe(self._cancel(ident, parts), self.loop)

    def _wait(self, work: Coroutine[Any, Any, T], cancel: Cancel) -> T:
        """What is done on Dask's loop; Cancelled as soon as nobody waits for it."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        while not wait([future], _LOOK).done:
            if cancel.cancelled:
                future.add_done_callback(_unheard)
                cancel.check()
        return future.result()

    async def answers(
        self,
        parts: Sequence[Part],
        question: Mapping[str, Any],
        ident: str,
        cancel: Cancel,
        answered: Callable[[Part, int, Answer], None] | None,
        expected: Mapping[Part, int] | None,
    ) -> list[Answer]:
        """`ask` for what runs on `loop`, with a name of the question for `cancel`."""

        async def one(part: Part) -> Answer:
            epoch, found = await self._ask_part(part, question, ident, cancel, expected)
            if answered is not None:
                answered(part, epoch, found)
            return found

        found = await asyncio.gather(*(one(part) for part in parts), return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return [each for each in found if isinstance(each, Answer)]

    async def _ask_part(
        self,
        part: Part,
        question: Mapping[str, Any],
        ident: str,
        cancel: Cancel,
        expected: Mapping[Part, int] | None,
    ) -> tuple[int, Answer]:
        """The answer of whoever holds a part, which may become another one meanwhile, and the number of its holding."""
        asked = Answer({**question, "dataset": part.dataset, "part": [part.first, part.stop]})
        tries = 0
        while True:
            cancel.check()
            held = self.holder(part)
            if expected is not None and (held is None or held[1] != expected.get(part)):
                raise Moved()
            worker, epoch = held or self._next_holder(part)
            if worker is None:
                tries += 1
                if tries > _PATIENCE:
                    raise Busy("The cluster has no workers now: the same request may succeed once there are some.")
                await asyncio.sleep(_LOOK * 25)
                continue
            try:
                answer = await self._call(worker, asked, f"{ident}-{part.first}")
                if "needs" in answer.head:
                    await self._give(worker, part, answer.head, expected is None)
                    continue
            except OSError as error:  # which Dask's own are
                self._lost(worker, error)
                continue
            return epoch, answer

    async def _give(self, worker: str, part: Part, lacking: Mapping[str, Any], opens: bool) -> None:
        """Tell a worker what it lacks to answer of a part; with `opens` false nothing where it lacks all of it."""
        with self._lock:
            dataset = self._datasets[part.dataset]
        if lacking["needs"] == "dataset":
            with self._lock:
                self._epochs[part] = self._epochs.get(part, 0) + 1
            if not opens:
                return
            assert dataset.origin is not None
            told: dict[str, Any] = {
                "ask": "open",
                "dataset": part.dataset,
                "name": dataset.name,
                "origin": asdict(dataset.origin),
            }
            await self._call(worker, Answer(told), f"open-{next(self._idents)}")
            return
        for column in lacking["columns"]:
            with self._lock:
                labels = self._labels[part.dataset, column]
            told = {
                "ask": "know_labels",
                "dataset": part.dataset,
                "part": [part.first, part.stop],
                "column": column,
            }
            await self._call(worker, Answer(told, (labels,)), f"labels-{next(self._idents)}")

    async def _call(self, worker: str, asked: Answer, ident: str) -> Answer:
        """One message and its answer. Raises what that tells of, and OSError where the worker is gone."""
        gone = self._there.get(worker)
        if gone is None:
            raise ConnectionError(f"the worker at {worker} is gone")
        call = asyncio.ensure_future(getattr(self._client.rpc(worker), ASK)(**encoded(asked), ident=ident))
        left = asyncio.ensure_future(gone.wait())
        await asyncio.wait([call, left], return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        if not call.done():
            call.add_done_callback(_unheard)
            raise ConnectionError(f"the worker at {worker} is gone")
        try:
            message = call.result()
        except RuntimeError as error:  # the client is closed
            raise ConnectionError(f"the worker at {worker} cannot be asked: {error}") from error
        if not isinstance(message, dict) or "head" not in message:  # it has not begun to answer such questions
            raise ConnectionError(f"the worker at {worker} does not answer")
        answer = decoded(message)
        if "error" in answer.head:
            raise raised(answer.head["error"])
        return answer

    async def _cancel(self, ident: str, parts: Sequence[Part]) -> None:
        """Tell the workers that nobody waits for an answer."""
        held = [(part, holder[0]) for part in parts if (holder := self.holder(part)) is not None]
        calls = [getattr(self._client.rpc(worker), CANCEL)(ident=f"{ident}-{part.first}") for part, worker in held]
        await asyncio.gather(*calls, return_exceptions=True)

    def _next_holder(self, part: Part) -> tuple[str | None, int]:
        """Who is to hold a part that nobody holds: who holds the fewest rows of all who are there; None where nobody
        is."""
        with self._lock:
            if not self._there:
                return None, 0
            rows = dict.fromkeys(self._there, 0)
            for each, who in self._holder.items():
                if who in rows:
                    rows[who] += each.rows
            found = self._holder[part] = min(rows, key=lambda each: rows[each])
            self._epochs[part] = self._epochs.get(part, 0) + 1
            return found, self._epochs[part]

    def _lost(self, worker: str, error: BaseException | str) -> None:
        """A worker does not answer any more."""
        with self._lock:
            gone = self._there.pop(worker, None)
        if gone is None:
            return
        gone.set()
        if not self._closed.is_set():  # else they end as they should
            _log.warning("the worker at %s is lost (%s): others take its rows", worker, error)
            for tell in self._losses:
                tell()

    def _watch(self) -> None:
        there = True
        while not self._closed.wait(_ROUND):
            try:
                if self._client.status == "closed":  # Dask has looked for its scheduler long enough
                    self._rejoin()
                asyncio.run_coroutine_threadsafe(self._meet(), self.loop).result()
            except Exception as error:
                if there:
                    _log.warning("the cluster's scheduler does not answer, and is looked for: %s", error)
                there = False
            else:
                if not there:
                    _log.warning("the cluster's scheduler answers again")
                there = True

    def _rejoin(self) -> None:
        """Come back to the scheduler. Who still waits for an answer by way of the old connection asks again."""
        client = self._join()
        try:
            client.register_plugin(HostPlugin(self._settings))
        except BaseException:
            client.close(timeout=_LEAVE)
            raise
        with self._lock:
            gone, self._there = self._there, {}
        self._client = client
        for each in gone.values():
            self.loop.call_soon_threadsafe(each.set)

    async def _meet(self, first: bool = False) -> None:
        """See who is there, greet all of them, and let those go that do not answer."""
        told = await asyncio.wait_for(self._client.scheduler.identity(n_workers=-1), _HANGS)
        there = set(told["workers"])
        self._refused &= there  # another one may have that address later
        for worker in [each for each in self._there if each not in there]:
            self._lost(worker, "it has left the cluster")
        await asyncio.gather(*(self._greet(worker, first) for worker in sorted(there - self._refused)))
        if first and not self._there:
            raise BadInput("The cluster has no workers: start some, then the server.", "scheduler")

    async def _greet(self, worker: str, first: bool) -> None:
        message = encoded(Answer({"ask": "hello"}))
        try:
            call = getattr(self._client.rpc(worker), ASK)(**message, ident=f"hello-{next(self._idents)}")
            answer = await asyncio.wait_for(call, _HANGS)
            facts = json.loads(answer["head"])
            version, same = facts["version"], facts["protocol"] == PROTOCOL
        except (OSError, TimeoutError) as error:
            self._lost(worker, str(error) or "it does not answer")
            return
        except Exception as error:  # its plugin is not set up yet, or cannot be
            _log.debug("the worker at %s cannot be asked: %s", worker, error)
            return
        if same and version == __version__:
            with self._lock:
                self._there.setdefault(worker, asyncio.Event())
            return
        words = f"The worker at {worker} runs bigviz {version}, this is {__version__}: install the same one."
        if first:
            raise BadInput(words, "scheduler", version)
        self._refused.add(worker)
        _log.warning("%s", words)


def _unheard(future: Any) -> None:
    """Nobody waits for what it raises."""
    if not future.cancelled():
        future.exception()


def _divided(dataset: Dataset, workers: int) -> tuple[Part, ...]:
    """Parts of neighbouring pieces, as equal as these allow. Raises Unreadable for a dataset without rows."""
    chunks = dataset.chunks()
    rows, parts, first = dataset.num_rows, list[Part](), 0
    for number in range(workers):
        end = rows * (number + 1) // workers
        stop = first
        while stop < len(chunks) and (number == workers - 1 or sum(chunks[stop]) - chunks[stop][1] // 2 <= end):
            stop += 1
        if stop > first:
            held = sum(count for _, count in chunks[first:stop])
            parts.append(Part(dataset.fingerprint, first, stop, held))
        first = stop
    if not parts:
        raise Unreadable(f"{dataset.name!r} has no rows that a cluster could hold.", "dataset")
    return tuple(parts)
