"""All sessions of a server: one a page, kept for a while when its page is gone, bounded in number."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Final

from bigviz.common.errors import Busy
from bigviz.server.apps.session import Page, Session

if TYPE_CHECKING:
    from bigviz.server.access.principal import Principal

__all__ = ["Sessions"]

_BYTES: Final = 100 << 10
_MOST: Final = 10_000
_MOST_PER_SHARE: Final = 256  # more than the connections of an address
_ADDRESS: Final = 4  # times as many: there may be many viewers behind one


class Sessions:
    """Lives on the event loop. `ended` is called with each session that is over."""

    def __init__(self, seconds: float, ended: Callable[[Session], None], shared: bool = False,
                 most: int = _MOST, most_per_share: int = _MOST_PER_SHARE) -> None:  # fmt: skip
        self._seconds = seconds
        self._ended = ended
        self._shared = shared
        self._most, self._most_per_share = most, most_per_share
        self._by_id: dict[str, Session] = {}
        self._shares: defaultdict[Hashable, dict[Session, None]] = defaultdict(dict)  # oldest first
        self._share_of: dict[Session, Hashable] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def of(self, document: str) -> list[Session]:
        """The sessions of a document."""
        return [each for each in self._by_id.values() if each.document == document]

    def get(self, id: str) -> Session | None:
        """The session of that id."""
        return self._by_id.get(id)

    def join(self, page: Page, wanted: str | None, values: Mapping[str, Any]) -> tuple[Session, bool]:
        """The session of a page, and whether it is new: the one that it had before, if it is there yet and its viewer
        is the same, else one with these values. A page that had it until now has none any more. Raises Busy where there
        are too many."""
        session = self._known(page, wanted)
        is_new = session is None
        if session is None:
            session = self._new(page, values)
        if session.expiry is not None:
            session.expiry.cancel()
            session.expiry = None
        if not self._shared:
            session.pages.clear()
        session.pages.add(page)
        return session, is_new

    def leave(self, page: Page, session: Session) -> None:
        """A page is gone; its session waits for it to come back."""
        session.pages.discard(page)
        if not session.pages and session.id in self._by_id and session.expiry is None:
            session.stop_ticking()
            loop = asyncio.get_running_loop()
            session.expiry = loop.call_later(self._seconds, self.end, session)

    def end(self, session: Session) -> None:
        """Forget a session."""
        if self._by_id.pop(session.id, None) is None:
            return
        share = self._share_of.pop(session)
        del self._shares[share][session]
        if not self._shares[share]:
            del self._shares[share]
        if session.expiry is not None:
            session.expiry.cancel()
            session.expiry = None
        session.stop_ticking()
        session.pages.clear()
        self._ended(session)

    def _known(self, page: Page, wanted: str | None) -> Session | None:
        if self._shared:
            return next(iter(self.of(page.name)), None)
        found = self._by_id.get(wanted or "")
        fits = found is not None and found.document == page.name and found.holder == _holder(page.principal)
        return found if fits else None

    def _new(self, page: Page, values: Mapping[str, Any]) -> Session:
        share: Hashable = ("shared", page.name) if self._shared else page.principal.share
        is_one = self._shared or page.principal.user is not None
        most = self._most_per_share * (1 if is_one else _ADDRESS)
        if len(self._shares.get(share, ())) >= most and not self._make_room(self._shares[share]):
            raise Busy(f"{most:,} of your pages are open: close one to open another.")
        if len(self._by_id) >= self._most and not self._make_room(self._by_id.values()):
            raise Busy(f"{self._most:,} pages are open here: try again later.")
        holder, user = (None, None) if self._shared else (_holder(page.principal), page.principal.user)
        session = Session(page.name, holder, user, _BYTES, dict(values))
        session.forget_process()
        self._by_id[session.id] = session
        self._shares[share][session] = None
        self._share_of[session] = share
        return session

    def _make_room(self, among: Any) -> bool:
        """End the oldest session whose page is gone."""
        oldest = next((each for each in among if not each.pages), None)
        if oldest is not None:
            self.end(oldest)
        return oldest is not None


def _holder(principal: Principal) -> tuple[str, str | None, str | None]:
    """Whose session it is. Those who have not signed in are known by the session's id alone, which nobody guesses."""
    return principal.kind, principal.user, principal.document
