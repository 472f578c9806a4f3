"""A figure's current view: what it still waits for, and the sums that its `done` reports."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from bigviz.common.errors import Busy
from bigviz.server.jobs.job_queue import Outcome, Want
from bigviz.server.jobs.kept_views import KeptView
from bigviz.server.jobs.wanted import LayerWants, TileWant, Wanted, WindowWant
from bigviz.server.websocket.requests import ViewRequest
from bigviz.server.websocket.send_queue import Message
from bigviz.server.websocket.view_part import ViewPart
from bigviz.tiles.readiness import EXACT
from bigviz.wire.frames import Type, json_parts

if TYPE_CHECKING:
    from bigviz.common.cancel import Cancel
    from bigviz.server.access.principal import Principal
    from bigviz.server.documents.opened import Shown
    from bigviz.server.jobs.encoded import Prepared
    from bigviz.server.jobs.scan_jobs import Answers
    from bigviz.server.jobs.service import Backend
    from bigviz.server.jobs.view_jobs import Job

__all__ = ["View"]


class Viewer(Hashable, Protocol):
    """The connection that a view answers on."""

    @property
    def principal(self) -> Principal:
        """Whose share of the builds the view takes."""

    def begin(self, view: View) -> asyncio.Task[None]:
        """Begin a view, or begin it again."""

    def rested(self) -> None:
        """A view has ended."""

    def put(self, message: Message) -> None:
        """Send a message."""

    def fail_request(self, request: int, error: BaseException, figure: int = 0, layer: int = 0) -> None:
        """Answer a request with an error."""


class View:
    """One `view` message on its way. `over` once it is answered, failed or replaced: then nothing more is sent."""

    def __init__(self, viewer: Viewer, backend: Backend, shown: Shown, request: ViewRequest) -> None:
        self.viewer = viewer
        self.backend = backend
        self.shown = shown
        self.request = request
        self.task: asyncio.Task[None] | None = None
        self.over = False
        self.outdated = False  # something was given up: the browser will ask again
        self.renewals = 0
        self._planning = False
        self.answered = False
        self.sent: list[tuple[int, Prepared]] | None = None  # answers, each with its layer's number, as it begins
        self.parts: list[ViewPart] = []
        self.since = time.perf_counter()
        self.sums = {"tiles": 0, "queue_us": 0, "kernel_us": 0, "encode_us": 0, "rows": 0, "bytes": 0}
        self._leave: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Plan at once where the index of every layer is complete, else in a task."""
        try:
            parts = [self._part(each) for each in self.request.layers]
        except Exception as error:
            self._fail(error, 0)
            return
        views, key = self.backend.jobs.kept_views, tuple(part.key for part in parts)
        kept = None if self.backend.runner.is_paused(self.viewer) else views.get(key)
        if kept is not None:
            self._send_kept(kept)
            return
        if not all(self.backend.builds.readiness(part.dataset, part.layer) == "complete" for part in parts):
            self.task = self.viewer.begin(self)
            return
        sent: list[tuple[int, Prepared]] = []
        self.sent = sent
        self._open(parts)
        self.sent = None
        if self.answered:  # with what is kept: no job had the time
            views.put(key, KeptView(tuple(sent), json_parts(self.sums)))

    async def start(self) -> None:
        """Check every layer, and wait until each can be answered for.

        What the figure's earlier view wanted goes on until then, and what both want is not begun again.
        """
        slot = self.request.figure
        try:
            parts = [self._part(each) for each in self.request.layers]
            for part in parts:
                readiness = self.backend.builds.readiness(part.dataset, part.layer)
                if readiness == "complete":
                    continue
                if readiness not in EXACT:
                    self.backend.runner.drop(self.viewer, slot)
                principal = self.viewer.principal
                # Of a layer whose workers are lost the page believes that it is there: it has to know why it waits.
                is_held = self.backend.engine.holders(part.dataset, part.layer) is not None
                listener = partial(self._progress, part.wanted.layer) if is_held else None
                leave = await self.backend.builds.shown(part.dataset, part.layer, self._changed, principal, listener)
                if self.over:
                    leave()
                    return
                self._leave.append(leave)
        except BaseException:
            if not self.over:  # else the slot is a newer view's already
                self.end()
                self.backend.runner.drop(self.viewer, slot)
            raise
        self._open(parts)

    def _part(self, wanted: LayerWants) -> ViewPart:
        resolved = self.backend.resolve_shown(self.shown, wanted.definition)
        return ViewPart(wanted, *resolved, self.shown.usage.has_rows(wanted.definition["dataset"]))

    def _open(self, parts: list[ViewPart]) -> None:
        """Hand what all layers want to the runner: centre first, prefetch last."""
        for part in parts:
            part.begin()
        self.parts = parts
        self._plan()

    def end(self) -> None:
        """Send nothing more, and wait for nothing."""
        self.over = True
        for leave in self._leave:
            leave()
        self._leave.clear()
        self.viewer.rested()

    def _changed(self) -> None:
        """Better answers can be given."""
        if not self.over and self.parts:
            self._plan()

    def _plan(self) -> None:
        """Send what is at hand, then want what is open: estimates first where the exact answer would not come at once,
        then exact answers."""
        if self._planning or self.over:  # a window is answered as the plan is made, which goes on without it
            return
        first: list[list[Want]] = []
        exact: list[list[Want]] = []
        later: list[Want] = []
        self._planning = True
        try:
            for part in self.parts:
                estimates, visible, more = self._wants(part)
                first.append(estimates)
                exact.append(visible)
                later += more
        except Exception as error:
            self._fail(error, 0)
            return
        finally:
            self._planning = False
        if self.over:  # everything was at hand
            self.backend.runner.drop(self.viewer, self.request.figure)
            return
        self.backend.runner.replace(
            self.viewer, self.request.figure, [*_interleaved(first), *_interleaved(exact), *later]
        )
        self._finish()

    def _wants(self, part: ViewPart) -> tuple[list[Want], list[Want], list[Want]]:
        """Estimates, exact answers, and exact answers that may wait, of one layer; those at hand are sent."""
        backend, dataset, layer = self.backend, part.dataset, part.layer
        readiness = backend.builds.readiness(dataset, layer)
        if readiness not in EXACT:
            if not backend.builds.is_under_way(dataset, layer):
                return [], self._again(part), []
            self._leave.append(backend.builds.watch(dataset, layer, self._changed))
            return self._estimates(part), [], []
        if part.of_tiles and not self._is_rooted(part):
            part.open.clear()  # tiles of a root that the layer no longer has: the browser learns the new one
            self.outdated = True
            return [], [], []
        scanned = part.of_tiles and readiness == "scanned"
        visible, later = ([], []) if scanned else self._exact(part)
        rough: list[Want] = []
        if readiness != "complete":
            rough = [
                self._want(backend.jobs.rough(dataset, layer, want), part, want, _ROUGH)
                for want in part.without(1)  # only where there is nothing
                if isinstance(want, TileWant)
            ]
        if scanned:
            return rough, self._scan(part), []
        return rough, visible, later

    def _exact(self, part: ViewPart) -> tuple[list[Want], list[Want]]:
        """Exact answers that are still to be made, and those that may wait. What is at hand is sent instead, unless the
        browser is behind: then it waits like the others, and may be dropped with them."""
        backend = self.backend
        visible: list[Want] = []
        later: list[Want] = []
        for want in list(part.open):
            if want not in part.open:  # sent with the window that was at hand
                continue
            job = backend.jobs.exact(part.dataset, part.layer, want, part.has_rows)
            kept = backend.jobs.kept.get(job[0])
            if kept is not None and not backend.runner.is_paused(self.viewer):
                self._deliver(part, want, 0, kept)
            else:
                waits = want in part.later
                (later if waits else visible).append(self._want(job, part, want, 0, waits))
        if part.window is not None:  # as many tiles as it leaves workers for: the others may not be needed
            return visible[: backend.runner.workers], []
        return visible, later

    def _is_rooted(self, part: ViewPart) -> bool:
        """Whether tiles are numbered in the root that the layer has now."""
        roots = part.wanted.roots
        if roots is None:
            return True
        info = self.backend.engine.info(part.dataset, part.layer)
        return self.backend.is_rooted((info.root_x, info.root_y), roots, final=True)

    def _estimates(self, part: ViewPart) -> list[Want]:
        """Estimates from the sample as it is now; none while there is no sample, or of another root's tiles."""
        backend, dataset, layer = self.backend, part.dataset, part.layer
        sampled = backend.builds.sampled(dataset, layer)
        if sampled is None or (part.of_tiles and not backend.is_rooted(sampled.roots, part.wanted.roots, final=False)):
            return []
        age = sampled.generation
        return [
            self._want(backend.jobs.estimate(dataset, layer, want, sampled), part, want, age)
            for want in part.without(age)
        ]

    def _want(self, job: Job, part: ViewPart, want: Wanted, age: int, later: bool = False) -> Want:
        key, call = job
        return Want(key, call, partial(self._deliver, part, want, age), later, since=self.since)

    def _scan(self, part: ViewPart) -> list[Want]:
        """Everything that is open of a scanned layer, as one want; its progress is sent."""
        if part.scanning is not None:
            part.scanning()
            part.scanning = None
        if not part.has_rows and part.window is not None:
            del part.open[part.window]
        if not part.open:
            return []
        wants = list(part.open)
        key, call = self.backend.scans.job(part.dataset, part.layer, wants)
        part.scanning = self.backend.scans.listen(key, partial(self._progress, part.wanted.layer))
        self._leave.append(part.scanning)
        return [Want(key, call, partial(self._deliver_scan, part, wants), long=True, since=self.since)]

    def _again(self, part: ViewPart) -> list[Want]:
        """Everything that is open of a layer that others have taken the place of since it was waited for, because
        memory does not hold all of them: one want, whose job builds the layer again."""
        if not part.of_tiles:
            return self._exact(part)[0]
        wants = self._scan(part)
        for want in wants:
            want.key = want.key, part.wanted.roots
            want.call = partial(self._if_rooted, part, want.call)
        return wants

    def _if_rooted(self, part: ViewPart, call: Callable[[Cancel], Any], cancel: Cancel) -> Answers:
        """What a scan finds; nothing where tiles are numbered in another root. In a thread."""
        answers: Answers = call(cancel)
        return answers if self._is_rooted(part) else {}

    def _progress(self, layer: int, report: dict[str, Any]) -> None:
        if not self.over:
            self.viewer.put(Message(Type.PROGRESS, json_parts(report), self.request.id, self.request.figure, layer))

    def _deliver_scan(self, part: ViewPart, wants: list[Wanted], outcome: Outcome) -> None:
        """Send what a scan has found, the window first: its rows may be the answer in place of tiles."""
        if part.scanning is not None:
            part.scanning()
            part.scanning = None
        if outcome.error is not None:
            self._deliver(part, wants[0], 0, outcome)
            return
        answers: Answers = outcome.value
        if not answers:
            part.open.clear()
            self.outdated = True
            self._finish()
            return
        for want in wants:
            self._deliver(part, want, 0, Outcome(answers[want], None, outcome.waited))

    def _deliver(self, part: ViewPart, want: Wanted, age: int, outcome: Outcome) -> None:
        """Send an answer; `age` is 0 for an exact one."""
        layer = part.wanted.layer
        if self.over or want not in part.open or (age and part.open[want] >= age):
            return
        if outcome.error is not None:
            if age:  # the exact answer, or its error, is still to come
                return
            if self._may_renew(part, outcome.error):
                self._renew()
                return
            self._fail(outcome.error, layer)
            return
        prepared: Prepared | None = outcome.value
        window = part.window
        if not age and window is not None:
            if isinstance(want, TileWant):
                part.held.append((want, outcome))
                return
            if prepared is None:  # not of rows: the tiles are the answer
                del part.open[window]
                for tile, held in part.held:
                    self._deliver(part, tile, 0, held)
                self._plan()  # with all tiles
                return
            part.open = {window: 0}
        if prepared is None:
            return
        if age:
            part.open[want] = age
        else:
            del part.open[want]
            if self.sent is not None:
                self.sent.append((layer, prepared))
        self._send(prepared, layer, outcome.waited)
        if isinstance(want, WindowWant):
            self._plan()  # without the tiles
        elif not age:
            self._finish()

    def _send(self, prepared: Prepared, layer: int, waited: float) -> None:
        queue = round(waited * 1e6)
        self.backend.observe(prepared, waited)
        self._add(prepared, queue)
        address = (self.request.id, self.request.figure, layer)
        self.viewer.put(
            Message(prepared.kind, prepared.parts, *address, queue if prepared.kind == Type.TILE else None, self)
        )

    def _send_kept(self, kept: KeptView) -> None:
        """Send what others were sent, as it is: it has waited for nothing, and its parts say so."""
        request, figure = self.request.id, self.request.figure
        for layer, answer in kept.answers:
            self.viewer.put(Message(answer.kind, answer.parts, request, figure, layer, None, self))
        self.backend.observe_kept(kept.tiles)
        self.backend.runner.drop(self.viewer, figure)
        self.end()
        self.answered = True
        self.viewer.put(Message(Type.DONE, kept.done, request, figure))

    def _add(self, prepared: Prepared, queue: int) -> None:
        cost, sums = prepared.cost, self.sums
        sums["tiles"] += prepared.kind == Type.TILE
        sums["queue_us"] = max(sums["queue_us"], queue)  # they wait at the same time: the longest wait, not the sum
        sums["kernel_us"] += cost.kernel_us
        sums["encode_us"] += cost.encode_us
        sums["rows"] += cost.rows
        sums["bytes"] += cost.bytes

    def _may_renew(self, part: ViewPart, error: BaseException) -> bool:
        """Whether an answer is worth waiting for once more. Others may have the rows of a lost worker by now, and may
        be lost in their turn."""
        if isinstance(error, Busy) and self.backend.engine.holders(part.dataset, part.layer) is not None:
            return self.renewals < _RENEWALS
        return not self.renewals and self.backend.builds.readiness(part.dataset, part.layer) not in EXACT

    def _renew(self) -> None:
        """A store turned out to be damaged, or a worker is lost: its layer is built again, and this view waits for
        it."""
        self.renewals += 1
        for part in self.parts:
            part.open.clear()  # what still comes of it is not waited for, and renews nothing
        self.parts = []
        for leave in self._leave:
            leave()
        self._leave.clear()
        self.task = self.viewer.begin(self)

    def _finish(self) -> None:
        """Say that everything was sent, if it was."""
        if self.over or any(part.open for part in self.parts):
            return
        self.end()
        if not self.outdated:
            self.answered = True
            self.viewer.put(Message(Type.DONE, json_parts(self.sums), self.request.id, self.request.figure))

    def _fail(self, error: BaseException, layer: int) -> None:
        self.end()
        self.backend.runner.drop(self.viewer, self.request.figure)
        self.viewer.fail_request(self.request.id, error, self.request.figure, layer)


_RENEWALS = 8  # of a view whose workers are lost again and again
_ROUGH = 1 << 30  # the age of an estimate over ordered rows: newer than any of a sample


def _interleaved(lists: list[list[Want]]) -> list[Want]:
    """One from each list in turn, so that the layers of a figure fill in together."""
    longest = max(map(len, lists), default=0)
    return [each[at] for at in range(longest) for each in lists if at < len(each)]
