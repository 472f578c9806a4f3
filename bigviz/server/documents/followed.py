"""Tables whose files grow: looked at now and then, and open pages shown what has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BigvizError
from bigviz.data.trim_memory import trim_memory
from bigviz.server.documents.renewal import renew_dataset, renew_given

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.data.following.table import FollowedTable
    from bigviz.document.spec import Document
    from bigviz.server.site import Site

__all__ = ["Followed", "watch_files"]

_log = logging.getLogger("bigviz")

_SECONDS_BETWEEN_LOOKS: Final = 0.25
_SECONDS_BETWEEN_GLANCES: Final = 0.05  # at whether another process has found something
_SECONDS_AT_REST: Final = 1.0  # between looks once nothing has come for a while
_LOOKS_TO_REST: Final = 40
_LOOKS_TO_GIVE_BACK: Final = 8  # without news, until what new rows have freed is given back
_SHARE: Final = 20  # at least so many times as long as a look took is waited until the next one


@dataclass(eq=False)
class Followed:
    """A table that is followed, and `document(shown, dataset)`: what shows another version of it, after what did.
    `shown` is how far of what was found is shown here (see `FollowedTable.taken`)."""

    table: FollowedTable
    document: Callable[[Document, Dataset], Document]
    shown: int = field(init=False)

    def __post_init__(self) -> None:
        self.shown = self.table.taken

    @property
    def is_behind(self) -> bool:
        """Whether another process may show what is not shown here yet."""
        return self.shown < self.table.told_of


async def watch_files(site: Site, followed: Followed) -> None:
    """Look at one table's files, or at what another process has found in them, until the task is cancelled; whatever
    happens to them, the server goes on."""
    table, stop, idle = followed.table, Cancel(), 0
    notes, failure = table.notes, ""
    loop = asyncio.get_running_loop()
    try:
        while True:
            began = loop.time()
            try:
                found = await in_thread(partial(table.look, stop))
                took = loop.time() - began
                idle = 0 if found is not None or table.more else idle + 1
                if idle == _LOOKS_TO_GIVE_BACK and table.version > 1:
                    await in_thread(trim_memory)
                taken = table.taken
                await _show(site, followed, found)
                followed.shown = taken
                if table.notes != notes:
                    notes = table.notes
                    _note(site, table.name)
                failure = ""
            except Exception as error:  # a disk that fails for a while, or no memory for what has come
                took, idle = loop.time() - began, _LOOKS_TO_REST
                if str(error) != failure:  # else it would be told every second
                    failure = str(error)
                    _log.warning("%s cannot be followed now: %s", table.name, error, exc_info=_unknown(error))
            least = _SECONDS_AT_REST if idle >= _LOOKS_TO_REST else _SECONDS_BETWEEN_LOOKS
            await _pause(followed, max(least, _SHARE * took), hears=not failure)
    finally:
        stop.cancel()


async def _pause(followed: Followed, seconds: float, hears: bool) -> None:
    """Wait until the next look: shorter where it `hears` that another process has found something."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        if not hears or followed.table.looks:
            await asyncio.sleep(left)
        elif followed.is_behind:
            return
        else:
            await asyncio.sleep(min(left, _SECONDS_BETWEEN_GLANCES))


async def _show(site: Site, followed: Followed, dataset: Dataset | None) -> None:
    """Show a new version from now on, and say what the last look has found."""
    name = followed.table.name
    for sentence in followed.table.take_told():
        _log.warning("%s: %s", name, sentence)
    if dataset is not None:
        shown = next(each for each in site.documents.opened if each.id == name)
        document = await in_thread(partial(followed.document, shown, dataset))
        site.grow(name, document, dataset, followed.table.time)
        if followed.table.looks:
            site.event("followed", dataset=name, version=dataset.version, rows=dataset.num_rows)
        if site.library is not None:
            await renew_dataset(site, name)
    renew_given(site)


def _note(site: Site, name: str) -> None:
    """Tell the browsers what is to be said of a table besides its rows."""
    notes = site.served_datasets[name].notes
    for viewer in site.viewers:
        shown = viewer.shown
        if shown is not None and name in shown.document.sources and name not in shown.usage.columns:
            viewer.note(name, notes)


def _unknown(error: Exception) -> bool:
    return not isinstance(error, BigvizError)
