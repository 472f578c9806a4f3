"""Remote tables that take longer to open than the others: their documents are served once they are open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Final

from bigviz.common.daemon_thread import in_thread, start_daemon
from bigviz.common.errors import BigvizError, Busy
from bigviz.common.threads.waits import in_context

if TYPE_CHECKING:
    from bigviz.document.spec import Document
    from bigviz.server.site import Site

__all__ = ["Opening", "in_time", "serve_late"]

_log = logging.getLogger("bigviz")

_SOON: Final = 2.0  # seconds that a start waits for tables that are elsewhere, once the others are open
_AGAIN: Final = 30.0  # seconds between two tries


class Opening:
    """A document that a thread of its own opens."""

    def __init__(self, name: str, open_: Callable[[], Document]) -> None:
        self.name = name
        self.open = in_context(open_)
        self.coming: Future[Document] = Future()
        self.coming.set_running_or_notify_cancel()  # who waits for it may be cancelled, and this goes on
        start_daemon("bigviz-open", self._run)

    def _run(self) -> None:
        try:
            self.coming.set_result(self.open())
        except BaseException as error:
            self.coming.set_exception(error)


def in_time(openings: Mapping[str, Opening], alone: bool) -> tuple[dict[str, Document], list[Opening]]:
    """Those that are open soon, and the others; where there are no other documents (`alone`), soon after the first one.
    Raises what opening one of them raises until then."""
    futures = [each.coming for each in openings.values()]
    if alone and futures:
        for done in wait(futures, return_when=FIRST_COMPLETED).done:
            done.result()
    wait(futures, _SOON)
    opened = {name: each.coming.result() for name, each in openings.items() if each.coming.done()}
    return opened, [each for name, each in openings.items() if name not in opened]


async def serve_late(site: Site, late: Opening, opened: Callable[[Document], None]) -> None:
    """Serve a document once it is open, and say meanwhile why it is not. What fails is tried again."""
    coming = asyncio.wrap_future(late.coming)
    while True:
        try:
            document = await coming
        except BigvizError as error:
            if site.reason(late.name) is None:  # the operator is told once
                _log.warning("%s is not open: %s It is tried again every %g s.", late.name, error.message, _AGAIN)
            site.not_open(late.name, Busy(f"{error.message} The server tries again every {_AGAIN:g} s."))
        except Exception:
            _log.exception("%s could not be opened", late.name)
            site.not_open(late.name, Busy("This table could not be opened; the server's log says why."))
        else:
            site.put(document, site.epoch)
            opened(document)
            return
        await asyncio.sleep(_AGAIN)
        coming = in_thread(late.open)
