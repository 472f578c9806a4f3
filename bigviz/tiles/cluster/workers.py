"""The workers of a Dask cluster, as a server asks them about the parts of tables that they hold.

A question tells all that its answer depends on, so a worker that has just come, or that has lost what it held, says
what it lacks, is given that, and answers. The rows of one that is gone are another one's from the next question on.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future, wait
from typing import Any, Final, TypeVar

from distributed import Client

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Busy, Cancelled
from bigviz.common.process.remote_errors import error_of
from bigviz.data.dataset import Dataset
from bigviz.tiles.cluster.membership import Membership
from bigviz.tiles.cluster.messages import Answer, decoded, encoded
from bigviz.tiles.cluster.parts.assignment import Assignment
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.tables.opening import opening
from bigviz.tiles.cluster.worker_plugin import ASK, CANCEL, HostSettings

__all__ = ["Moved", "Workers"]

T = TypeVar("T")

_LOOK: Final = 0.02  # seconds between two looks at a caller's cancel flag
_UNTIL_THERE: Final = 0.25  # seconds between two looks for a worker where there is none


class Moved(Busy):
    """A part is not held by the worker any more that had the index that is asked."""

    def __init__(self) -> None:
        super().__init__("A worker of the cluster was lost, and its rows are indexed again by others: try again.")


class Workers:
    """Safe to use from any number of threads."""

    def __init__(
        self,
        join: Callable[[], Client],
        settings: HostSettings,
        end: Callable[[], object] | None = None,
        assignment: Assignment | None = None,
    ) -> None:
        """`join` makes a client, also once the scheduler was lost, and all of them on one loop; `end` ends what was
        started for this. `assignment` is one that is shared with other servers. Raises what `join` does, and BadInput
        where a worker runs another version of bigviz, or there is none."""
        self._end, self._assignment = end, assignment or Assignment()
        try:
            self._members = Membership(join, settings)
        except BaseException:
            if end is not None:
                end()
            raise
        self.loop = self._members.loop
        self._name, self._idents = uuid.uuid4().hex, itertools.count()

    def close(self) -> None:
        """Ask nobody any more, and end what was started for this."""
        self._members.close()
        if self._end is not None:
            self._end()

    def on_loss(self, tell: Callable[[], None]) -> None:
        """Call this, on Dask's loop, whenever a worker is lost."""
        self._members.losses.append(tell)

    def on_join(self, tell: Callable[[], None]) -> None:
        """Call this, on Dask's loop, whenever a worker has joined."""
        self._members.joins.append(tell)

    @property
    def losses(self) -> int:
        """How often a worker was lost."""
        return self._members.lost_so_far

    @property
    def known(self) -> int:
        """How many workers there are."""
        return len(self._members.there)

    def holder(self, part: Part) -> tuple[str, int] | None:
        """Who holds a part, and a number that changes when another one does, or the same one anew; None where the one
        that did is gone."""
        held = self._assignment.holder(part)
        return held if held is not None and self._members.gone(held[0]) is not None else None

    def parts_of(self, dataset: Dataset) -> tuple[Part, ...]:
        """The parts that a dataset is divided into, in the order of their rows: one for each worker that there is when
        it is first asked for, as equal as its pieces allow."""
        return self._assignment.parts_of(dataset, self._members.there)

    @property
    def assignment(self) -> Assignment:
        """Who holds what."""
        return self._assignment

    def plan(self, dataset: Dataset) -> tuple[Part, ...] | None:
        """The parts that a dataset is to be divided into, so that all workers hold some of it; None where it is to stay
        as it is. Until `adopt` it is divided as before, and those parts stay where they are."""
        return self._assignment.plan(dataset, self._members.there)

    def adopt(self, dataset: Dataset, parts: tuple[Part, ...]) -> None:
        """Let a dataset be divided as it was planned, from now on."""
        self._assignment.adopt(dataset, parts)

    def leave(self, dataset: Dataset) -> None:
        """Let workers drop the parts of a dataset that it is not divided into now."""
        for part, worker in self._assignment.leave(dataset).items():
            self._tell_forget(part, worker)

    def know_labels(self, dataset: Dataset, column: str, labels: bytes) -> None:
        """Keep the labels of a category, for the workers that lack them."""
        self._assignment.know_labels(dataset, column, labels)

    def forget(self, dataset: Dataset) -> None:
        """Let workers drop what they hold of a dataset; they are told again when somebody asks."""
        for part, worker in self._assignment.forget(dataset).items():
            self._tell_forget(part, worker)

    def _tell_forget(self, part: Part, worker: str) -> None:
        told = Answer({"ask": "forget", "dataset": part.dataset, "part": [part.first, part.stop]})
        self.begin(self._call(worker, told, f"forget-{next(self._idents)}"))

    def has_labels(self, dataset: Dataset, column: str) -> bool:
        """Whether the labels of a category are kept."""
        return self._assignment.labels(dataset.fingerprint, column) is not None

    def ask(
        self,
        parts: Sequence[Part],
        question: Mapping[str, Any],
        cancel: Cancel,
        answered: Callable[[Part, int, Answer], None] | None = None,
        expected: Mapping[Part, int] | None = None,
    ) -> list[Answer]:
        """The answers of all parts, in their order; `answered` is called as they come, with the number of `holder` and
        on Dask's loop. Waits while there are no workers. Raises what an answer tells of, and Cancelled; with
        `expected` numbers Moved where one is another, else a part that was lost is answered for by the next worker."""
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
        self.begin(self._cancel(ident, parts))

    def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Have something done on Dask's loop, for which no thread waits; nothing once that has ended."""
        try:
            asyncio.run_coroutine_threadsafe(work, self.loop).add_done_callback(_unheard)
        except RuntimeError:
            work.close()

    def _wait(self, work: Coroutine[Any, Any, T], cancel: Cancel) -> T:
        """What is done on Dask's loop. Raises Cancelled as soon as nobody waits for it, and once this is closed."""
        try:
            future: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
            while not wait([future], _LOOK).done:
                if cancel.cancelled or self._members.is_closed:
                    future.add_done_callback(_unheard)
                    raise Cancelled()
            return future.result()
        except (RuntimeError, CancelledError) as error:  # of a loop that ends, or has ended
            if not self._members.is_closed:
                raise
            work.close()
            raise Cancelled() from error

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
        while True:
            cancel.check()
            held = self.holder(part)
            if expected is not None and (held is None or held[1] != expected.get(part)):
                raise Moved()
            if self._assignment.dataset_of(part) is None:  # it was closed meanwhile
                raise Moved()
            held = held or self._assignment.next_holder(part, self._members.there)
            if held is None:  # until there are workers again, however long: pages wait, and come back by themselves
                await asyncio.sleep(_UNTIL_THERE)
                continue
            worker, epoch = held
            try:
                answer = await self._call(worker, asked, f"{ident}-{part.first}")
                if "needs" in answer.head:
                    await self._give(worker, part, answer.head, expected is None)
                    continue
            except OSError as error:  # which Dask's own are
                self._members.lost(worker, error)
                continue
            return epoch, answer

    async def _give(self, worker: str, part: Part, lacking: Mapping[str, Any], opens: bool) -> None:
        """Tell a worker what it lacks to answer of a part; with `opens` false nothing where it lacks all of it."""
        dataset = self._assignment.dataset_of(part)
        if dataset is None:
            raise Moved()
        if lacking["needs"] == "dataset":
            self._assignment.begun(part)
            if not opens:
                return
            told = await opening(dataset, part, worker, lambda: self._members.gone(worker) is not None)
            await self._call(worker, told, f"open-{next(self._idents)}")
            return
        for column in lacking["columns"]:
            labels = self._assignment.labels(part.dataset, column)
            if labels is None:
                raise Moved()
            known = {
                "ask": "know_labels",
                "dataset": part.dataset,
                "part": [part.first, part.stop],
                "column": column,
            }
            await self._call(worker, Answer(known, (labels,)), f"labels-{next(self._idents)}")

    async def _call(self, worker: str, asked: Answer, ident: str) -> Answer:
        """One message and its answer. Raises what that tells of, and OSError where the worker is gone."""
        try:
            message = await self._handled(worker, ASK, **encoded(asked), ident=ident)
        except RuntimeError as error:  # the client is closed
            raise ConnectionError(f"the worker at {worker} cannot be asked: {error}") from error
        if not isinstance(message, dict) or "head" not in message:  # it has not begun to answer such questions
            raise ConnectionError(f"the worker at {worker} does not answer")
        answer = decoded(message)
        if "error" in answer.head:
            raise error_of(answer.head["error"])
        return answer

    async def _handled(self, worker: str, handler: str, **message: Any) -> Any:
        """What a handler of a worker returns. Raises OSError where the worker is gone, or goes before it has answered:
        then its connection, of which Dask has 512 for all workers, is given up."""
        gone = self._members.gone(worker)
        if gone is None:
            raise ConnectionError(f"the worker at {worker} is gone")
        call = asyncio.ensure_future(getattr(self._members.rpc(worker), handler)(**message))
        left = asyncio.ensure_future(gone.wait())
        await asyncio.wait([call, left], return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        if not call.done():
            call.add_done_callback(_unheard)
            call.cancel()
            raise ConnectionError(f"the worker at {worker} is gone")
        return call.result()

    async def _cancel(self, ident: str, parts: Sequence[Part]) -> None:
        """Tell the workers that nobody waits for an answer."""
        held = [(part, holder[0]) for part in parts if (holder := self.holder(part)) is not None]
        calls = [self._handled(worker, CANCEL, ident=f"{ident}-{part.first}") for part, worker in held]
        await asyncio.gather(*calls, return_exceptions=True)


def _unheard(future: Any) -> None:
    """Nobody waits for what it raises."""
    if not future.cancelled():
        future.exception()
