"""What pages that follow their data are sent of a layer: how it differs between two versions, made and laid out once
for all pages that see the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cachetools import LRUCache

from bigviz.aggregate.layer_options import BARS
from bigviz.common.byte_cache import ByteCache
from bigviz.common.cancel import Cancel
from bigviz.server.jobs.encoded import LaidColumns, columns_update, laid_bars, laid_columns
from bigviz.server.jobs.layer_json import layer_answer
from bigviz.server.jobs.layer_ref import times_of
from bigviz.server.jobs.view_jobs import Job, ViewJobs, ends_of_columns
from bigviz.server.jobs.wanted import ColumnsWant, Held, Place, TileWant
from bigviz.server.streams.shared_tasks import SharedTasks
from bigviz.tiles.interface import TileKey

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset
    from bigviz.server.jobs.encoded import Prepared
    from bigviz.server.jobs.index_builds import Builds, Known
    from bigviz.server.jobs.job_runner import JobRunner
    from bigviz.server.streams.past import Past
    from bigviz.tiles.interface import Engine, LayerInfo

__all__ = ["Pushed", "Pushes"]

_BYTES: Final = 32 << 20
_BESIDES: Final = 2_000  # bytes of facts and keys
_MOST_KNOWN: Final = 64  # facts of layers at versions
_MOST_MEANINGS: Final = 8_192
_FACTS: Final = ("extent", "range", "dense", "rows", "rows_outside", "rows_far", "rows_kept", "version", "sorted")


@dataclass(frozen=True)
class Pushed:
    """What brings a layer from one version to another: the `facts` that may differ, the `changed` tiles among those
    that a page has, and `messages` with the new ones. `rows` is False where tiles are the answer to a window now."""

    facts: dict[str, Any]
    changed: tuple[Place, ...]
    rows: bool
    messages: tuple[Prepared, ...]


@dataclass(frozen=True)
class _Made:
    pushed: Pushed | None

    @property
    def nbytes(self) -> int:
        messages = () if self.pushed is None else self.pushed.messages
        return _BESIDES + sum(len(part.json) + len(part.body) for each in messages for part in each.parts)


class Pushes:
    """Makes updates for pages that follow their data. Made on a running event loop. Jobs of pushes wait until no view
    does: a page that is moved goes first."""

    def __init__(self, engine: Engine, builds: Builds, runner: JobRunner, jobs: ViewJobs) -> None:
        self._engine = engine
        self._builds = builds
        self._runner = runner
        self._jobs = jobs
        self._made: ByteCache[_Made] = ByteCache(_BYTES)
        self._making: SharedTasks[Pushed | None] = SharedTasks()
        self._columns: ByteCache[LaidColumns] = ByteCache(_BYTES)
        self._known: LRUCache[Hashable, Known] = LRUCache(_MOST_KNOWN)
        self._meanings: LRUCache[Hashable, int] = LRUCache(_MOST_MEANINGS)

    def learn(self, dataset: Dataset, layer: Layer, known: Known) -> None:
        """Note what a page was told of a layer: another version of it may follow."""
        if known.readiness == "complete":
            self._meanings[dataset.fingerprint, dataset.version, layer] = hash(_meaning(known.info))

    async def layer(
        self, before: Past | None, after: Dataset, layer: Layer, held: Held, has_rows: bool
    ) -> Pushed | None:
        """What a page that has a layer at one version needs to show it at another; None where it has to ask anew, since
        a root or a label is another, or the earlier version is not known. Raises what answers do."""
        if before is None:
            return None
        key = (*before.key, after.fingerprint, after.version, layer, held, has_rows)
        made = self._made.get(key)
        if made is not None:
            return made.pushed

        async def make() -> Pushed | None:
            found = await self._make(before, after, layer, held, has_rows)
            self._made.put(key, _Made(found))
            return found

        return await self._making.get(key, make)

    async def _make(self, before: Past, after: Dataset, layer: Layer, held: Held, has_rows: bool) -> Pushed | None:
        old = self._meanings.get((*before.key, layer))
        new = None if old is None else await self._facts(after, layer)
        if new is None or old != hash(_meaning(new.info)):
            return None
        answer = layer_answer(new.info, times_of(after, layer), new.readiness, new.dense)
        facts = {name: answer[name] for name in _FACTS}
        changed = await self._changed(before, after, layer, (*held.tiles, *held.kept))
        if held.columns is not None:
            return Pushed(facts, (), True, await self._line(before, after, layer, held.columns))
        tiles = [place for place in held.tiles if place in changed]
        if held.window is None:
            return Pushed(facts, changed, True, await self._tiles(after, layer, tiles))
        if held.tiles and not tiles:
            return Pushed(facts, changed, True, ())
        rows = await self._answer(self._jobs.exact(after, layer, held.window, has_rows))
        if rows is not None:
            return Pushed(facts, changed, True, (rows,))
        return Pushed(facts, changed, False, await self._tiles(after, layer, held.tiles))

    async def _facts(self, dataset: Dataset, layer: Layer) -> Known | None:
        """What is known of a layer, once it is ready; None where it never is, as it is scanned."""
        known: Known | None = self._known.get((dataset.fingerprint, dataset.version, layer))
        if known is not None:
            return known
        async for each in self._builds.follow(dataset, layer, _ignore):
            known = each
        if known is None or known.readiness != "complete":
            return None
        self._known[dataset.fingerprint, dataset.version, layer] = known
        self.learn(dataset, layer, known)
        return known

    async def _changed(self, before: Past, after: Dataset, layer: Layer, places: Sequence[Place]) -> tuple[Place, ...]:
        if not places:
            return ()
        keys = [TileKey(*place) for place in places]

        def call(cancel: Cancel) -> list[bool] | None:
            return self._engine.changed(before.mark, after, layer, keys)

        name = ("changed", *before.key, after.fingerprint, after.version, layer, tuple(places))
        found: list[bool] | None = await self._run(name, call)
        return tuple(each for at, each in enumerate(places) if found is None or found[at])

    async def _tiles(self, dataset: Dataset, layer: Layer, places: Sequence[Place]) -> tuple[Prepared, ...]:
        jobs = [self._jobs.exact(dataset, layer, TileWant(place)) for place in places]
        return tuple([each for each in await asyncio.gather(*map(self._answer, jobs)) if each is not None])

    async def _answer(self, job: Job) -> Prepared | None:
        """The outcome of a job of views, which is kept for them too."""
        key, call = job
        kept = self._jobs.kept.get(key)
        found: Prepared | None = await self._run(key, call) if kept is None else kept.value
        return found

    async def _line(self, before: Past, after: Dataset, layer: Layer, want: ColumnsWant) -> tuple[Prepared, ...]:
        """The columns of a line from where they differ from those that were sent of the version before."""
        window = ends_of_columns(after, layer, want)
        place = (layer, *window, want.width)

        def call(cancel: Cancel) -> LaidColumns:
            if layer.glyph in BARS:
                return laid_bars(self._engine.bars(after, layer, *window, cancel), window, want.width)
            found = self._engine.columns(after, layer, *window, want.width, cancel)
            return laid_columns(found, window, want.width)

        name = (after.fingerprint, after.version, *place)
        now = self._columns.get(name)
        if now is None:
            now = await self._run(("laid", *name), call)
            self._columns.put(name, now)
        return (columns_update(now, self._columns.get((*before.key, *place))),)

    async def _run(self, key: Hashable, call: Callable[[Cancel], Any]) -> Any:
        """The value of a job, which waits until no view wants one."""
        return await self._runner.run(self, key, call, later=True)


def _meaning(info: LayerInfo) -> tuple[Any, ...]:
    """What tiles and codes mean: they are good for another version where that is the same."""
    return (
        info.root_x, info.root_y, info.planes, info.x_categories, info.y_categories, str(info.reduction), info.value,
        info.x, info.y,
    )  # fmt: skip


def _ignore(report: dict[str, Any]) -> None:
    pass
