"""What brings pages from one version of their data to another: made once for all that show the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bigviz.common.byte_cache import ByteCache
from bigviz.common.errors import BigvizError
from bigviz.server.open_datasets import dataset_of
from bigviz.server.streams.past import Past
from bigviz.server.streams.shared_tasks import SharedTasks

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

_BYTES: Final = 16 << 20
_BESIDES: Final = 4_000  # bytes of facts and keys
_PLACE: Final = 40  # of a tile that has changed


@dataclass(frozen=True)
class Update:
    """From the versions that a page has to newer ones: `frames` of figures and layers, and what `told` says of them;
    `versions` are those of the datasets that have others. `restarts` where the page has to load again.

    It holds no data: a version that is shown nowhere any more may go.
    """

    versions: Mapping[str, int]
    frames: Sequence[tuple[int, int, Prepared]]
    told: Mapping[str, Any]
    restarts: bool = False

    @property
    def nbytes(self) -> int:
        """About what keeping it costs."""
        places = sum(len(each["changed"]) for each in self.told.get("layers", ()))
        parts = (part for _, _, each in self.frames for part in each.parts)
        return _BESIDES + _PLACE * places + sum(len(part.json) + len(part.body) for part in parts)


class Updates:
    """A cache of the last updates. Lives on the event loop."""

    def __init__(self) -> None:
        self._kept: ByteCache[Update] = ByteCache(_BYTES)
        self._making: SharedTasks[Update] = SharedTasks()

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
        key = (*_key(before), *_key(after), *had.items(), followed.text)
        kept = self._kept.get(key)
        if kept is not None:
            return kept

        async def made() -> Update:
            found = await self._make(backend, tables, before, after, had, followed)
            self._kept.put(key, found)  # what has failed may go better the next time
            return found

        return await self._making.get(key, made)

    async def _make(
        self,
        backend: Backend,
        tables: Given | Shelf,
        before: Shown,
        after: Shown,
        had: Mapping[str, int],
        followed: Followed,
    ) -> Update:
        versions = {name: each for name, each in after.opened.growing.items() if had.get(name) != each}
        if backend.changes(before, after) is None:
            return Update(versions, (), {}, True)
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
        return Update(versions, frames, {"layers": layers, "anew": anew})


def _key(shown: Shown) -> tuple[Any, ...]:
    """What pages have in common that are answered alike: the document, its data, and what the caller may use."""
    opened, usage = shown.opened, shown.usage
    data = (dataset_of(opened.document, name).fingerprint for name in opened.growing)
    return opened.document.id, opened.version, *data, *sorted(usage.columns.items()), usage.rowless


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
    if before.opened.growing[name] == version:
        return Past.of(dataset_of(before.document, name))
    return tables.past(name, version)


def _name_of(part: LayerHeld) -> str:
    """The dataset that a layer is of; an empty text where its definition is none."""
    name = part.definition.get("dataset") if isinstance(part.definition, dict) else None
    return name if isinstance(name, str) else ""
