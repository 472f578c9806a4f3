"""What brings pages from one version of their data to another: made once for all that show the same."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bigviz.common.errors import BigvizError
from bigviz.server.jobs.layer_ref import dataset_of
from bigviz.server.jobs.push_jobs import Past

if TYPE_CHECKING:
    from bigviz.server.documents.given import Given
    from bigviz.server.documents.opened import Shown
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.jobs.encoded import Prepared
    from bigviz.server.jobs.push_jobs import Pushed
    from bigviz.server.jobs.service import Backend
    from bigviz.server.jobs.wanted import LayerHeld
    from bigviz.server.websocket.requests import Followed

__all__ = ["Update", "Updates"]

_KEPT: Final = 64


@dataclass(frozen=True)
class Update:
    """From the versions that a page has to those of `after`: `frames` of figures and layers, and what `told` says of
    them; `versions` are those of the datasets that have others. `restarts` where the page has to load again."""

    after: Shown
    versions: Mapping[str, int]
    frames: Sequence[tuple[int, int, Prepared]]
    told: Mapping[str, Any]
    restarts: bool = False


@dataclass(frozen=True)
class _Kept:
    """A task, and what its key names by identity."""

    before: Shown
    after: Shown
    task: asyncio.Task[Update]


class Updates:
    """The last updates. Lives on the event loop."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], _Kept] = OrderedDict()

    async def update(
        self,
        backend: Backend,
        tables: Given | Shelf,
        before: Shown,
        after: Shown,
        had: Mapping[str, int],
        followed: Followed,
    ) -> Update:
        """What a page needs that `had` these versions of datasets, shows what it told, and is answered from `before`.
        Raises what answers do."""
        key = (id(before.opened), id(after.opened), id(before.usage), id(after.usage), *had.values(), followed.text)
        kept = self._kept.get(key)
        if kept is None:
            made = self._make(backend, tables, before, after, had, followed)
            kept = self._kept[key] = _Kept(before, after, asyncio.ensure_future(made))
            kept.task.add_done_callback(partial(self._done, key))
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        elif kept.task.done():
            return kept.task.result()
        return await asyncio.shield(kept.task)

    def _done(self, key: tuple[Any, ...], task: asyncio.Task[Update]) -> None:
        """What has failed may go better the next time."""
        if task.cancelled() or task.exception() is not None:
            self._kept.pop(key, None)

    async def _make(
        self,
        backend: Backend,
        tables: Given | Shelf,
        before: Shown,
        after: Shown,
        had: Mapping[str, int],
        followed: Followed,
    ) -> Update:
        versions = {name: each for name, each in after.opened.datasets.items() if had.get(name) != each}
        if backend.changes(before, after) is None:
            return Update(after, versions, (), {}, True)
        olds = {name: _old(tables, before, name, had[name]) for name in versions}
        frames: list[tuple[int, int, Prepared]] = []
        layers: list[dict[str, Any]] = []
        anew: list[int] = []
        for figure, parts in followed.figures:
            over = [part for part in parts if _name_of(part) in versions]
            made = await asyncio.gather(
                *(_pushed(backend, olds[_name_of(part)], after, part) for part in over), return_exceptions=True
            )
            found = [_checked(each) for each in made]
            if None in found:
                anew.append(figure)
                continue
            for part, each in zip(over, found, strict=True):
                assert each is not None
                frames += [(figure, part.layer, one) for one in each.messages]
                about = {"facts": each.facts, "changed": each.changed, "rows": each.rows}
                layers.append({"figure": figure, "layer": part.layer, **about})
        return Update(after, versions, frames, {"layers": layers, "anew": anew})


async def _pushed(backend: Backend, old: Past | None, after: Shown, part: LayerHeld) -> Pushed | None:
    name = _name_of(part)
    dataset, layer = backend.resolve_shown(after, part.definition)
    return await backend.pushes.layer(old, dataset, layer, part.held, after.usage.has_rows(name))


def _checked(made: Pushed | BaseException | None) -> Pushed | None:
    """None for what a page is told when it asks anew."""
    if isinstance(made, BigvizError):
        return None
    if isinstance(made, BaseException):
        raise made
    return made


def _old(tables: Given | Shelf, before: Shown, name: str, version: int) -> Past | None:
    """A dataset as the page has it."""
    if before.opened.datasets[name] == version:
        return Past.of(dataset_of(before.document, name))
    return tables.past(name, version)


def _name_of(part: LayerHeld) -> str:
    """The dataset that a layer is of; an empty text where its definition is none."""
    name = part.definition.get("dataset") if isinstance(part.definition, dict) else None
    return name if isinstance(name, str) else ""
