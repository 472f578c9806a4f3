"""Who a request comes from and what they may do, as the library says at this moment.

What was looked up is kept until the library changes, so that a request, or a message on a socket, costs a look at a
number. Lives on the event loop; the library is asked in threads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, ParamSpec, Protocol, TypeVar

from cachetools import LRUCache

from bigviz.common.errors import BigvizError, Unauthorized
from bigviz.common.web.page_tokens import PageTokens
from bigviz.server.access.admission import admit
from bigviz.server.access.principal import Principal, scopes_of
from bigviz.server.library_threads import LibraryThreads
from bigviz.wire.frames import RESTART

if TYPE_CHECKING:
    from bigviz.library.access import Role
    from bigviz.library.items import Kind
    from bigviz.library.library import Library
    from bigviz.library.tokens import TokenEntry
    from bigviz.server.access.credentials import Credentials
    from bigviz.server.access.gate import Need

__all__ = ["Guest", "People"]

_log = logging.getLogger("bigviz")

P = ParamSpec("P")
T = TypeVar("T")
G = TypeVar("G", bound="Guest")
Given = Callable[["Kind", str], bool]

_MOST_KEPT: Final = 20_000
_SECONDS_KEPT: Final = 60.0  # sessions end, and last uses of tokens are written, without a change that is told of
_SECONDS_BETWEEN_LOOKS: Final = 0.25
_AT_ONCE: Final = 200  # sockets that are looked at before others have a turn


class Guest(Protocol):
    """A socket that is open for as long as its caller may use it."""

    need: ClassVar[Need]
    name: str
    credentials: Credentials
    principal: Principal

    def deny(self, error: BigvizError) -> None:
        """Close the connection, because its caller may not use it any more."""

    def leave(self, code: int, reason: str) -> None:
        """Close the connection from this side."""


@dataclass
class _Known:
    """What was looked up since the library changed last."""

    change: int
    until: float
    users: dict[str, bool] | None = None  # whether each is an admin
    tokens: LRUCache[str, TokenEntry | None] = field(default_factory=lambda: LRUCache(_MOST_KEPT))
    sessions: LRUCache[str, str | None] = field(default_factory=lambda: LRUCache(_MOST_KEPT))
    roles: LRUCache[tuple[Kind, str, str | None], tuple[bool, Role | None]] = field(
        default_factory=lambda: LRUCache(_MOST_KEPT)
    )


def _none_given(kind: Kind, name: str) -> bool:
    return False


class People:
    """The users, tokens, sessions and roles of a library, and what the server was started with.

    `given` says whether a document or dataset is one of those that the server was started with: everybody who is let
    in may view them. `anonymous`: callers without credentials are let in. `signs_in`: whether there is a way to have
    credentials at all, a library or the operator's own. `page_tokens` reads those of embedded plots, None where the
    server has no secret.
    """

    def __init__(
        self,
        library: Library | None = None,
        *,
        anonymous: bool = False,
        vouching: bool = False,
        page_tokens: PageTokens | None = None,
    ) -> None:
        self.library = library
        self.anonymous = anonymous
        self.page_tokens = page_tokens
        self.signs_in = library is not None or vouching
        self.given: Given = _none_given
        self._threads = LibraryThreads("bigviz-people")  # its own: uploads that wait for the disk hold up no request
        self._known = _Known(-1, 0.0)

    def close(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        self._threads.close()

    async def ask(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a function of the library, called in a thread."""
        return await self._threads.run(call, *args, **kwargs)

    async def has_users(self) -> bool:
        """Whether the library has users; while it has none, the operator needs no login."""
        return bool(await self._users())

    async def principal(self, credentials: Credentials) -> Principal:
        """Whom the credentials stand for now; Unauthorized for a token that is wrong or has expired."""
        address, users = credentials.address, await self._users()
        if credentials.token is not None and PageTokens.is_one(credentials.token):
            return await self._page(credentials.token, credentials)
        if credentials.token is not None:
            entry = await self._token(credentials.token)
            if entry is None or entry.user not in users:
                raise Unauthorized("This token is not known here: it is wrong, or was revoked.")
            if entry.expired:
                raise Unauthorized("This token has expired: make a new one on the account page.")
            admin = users[entry.user] and entry.scope == "admin"
            return Principal(address, entry.user, admin, scopes_of(entry.scope), "user", expires=entry.expires)
        user = credentials.vouched if not credentials.foreign else None
        if user is None and credentials.session is not None:
            user = await self._session(credentials.session)
            user = user if user in users else None
        if user is not None:
            return Principal(address, user, users.get(user, False), kind="user", expires=credentials.until)
        if credentials.local and not users:
            if credentials.foreign:
                return Principal(address, None, True, scopes_of("read"), "visitor")
            return Principal(address, None, True, kind="operator")
        return Principal(address, kind="anyone" if self.anonymous else "nobody")

    async def role(self, principal: Principal, kind: Kind, name: str) -> Role | None:
        """What the principal may do with a document or dataset; None for a name that does not exist, or of which
        it may not know."""
        exists, role = await self._role(kind, name, principal.user)
        given = self.given(kind, name)
        if principal.admin and (exists or given):
            return "viewer" if principal.kind == "visitor" else "owner"
        if principal.document is not None and (kind, name) == ("document", principal.document) and (exists or given):
            return "viewer"
        return self.role_on_given(principal) if given else role

    def role_on_given(self, principal: Principal) -> Role | None:
        """What the principal may do with what the server was started with; None where it may not know of it."""
        if principal.admin and principal.kind != "visitor":
            return "owner"
        return "viewer" if principal.admin or principal.known or self.anonymous else None

    async def exists(self, kind: Kind, name: str) -> bool:
        """Whether there is a document or dataset of that name, whoever may know."""
        return self.given(kind, name) or (await self._role(kind, name, None))[0]

    async def is_public(self, kind: Kind, name: str) -> bool:
        """Whether everybody gets the same answers about it, with credentials or without."""
        if self.given(kind, name):
            return self.anonymous
        return (await self._role(kind, name, None))[1] is not None

    def mark(self) -> object:
        """An object that stands for all that is known of users and their rights: another one as soon as these may have
        changed."""
        return self._current()

    async def watch(self, guests: Callable[[], Iterable[Guest]]) -> None:
        """Close the sockets whose callers may not use them any more, within a second of what takes it from them."""
        seen = None
        while True:
            try:
                known = self._current()
                await self.let_in(each for each in guests() if known is not seen or _has_ended(each.principal))
                seen = known
            except Exception:  # the library cannot be read: sockets stay, and their messages find out for themselves
                _log.exception("the permissions of open connections could not be checked")
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    async def let_in(self, guests: Iterable[G]) -> list[G]:
        """Look again whether the callers of sockets may use them: the sockets of those who may, which know from now on
        what their callers may do. The others are closed."""
        groups: dict[tuple[Credentials, Need, str], list[G]] = {}
        for guest in guests:
            groups.setdefault((guest.credentials, guest.need, guest.name), []).append(guest)
        stay: list[G] = []
        for number, ((credentials, need, name), same) in enumerate(groups.items()):
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            try:
                principal = await self.principal(credentials)
                await admit(self, need, principal, name)
            except BigvizError as error:
                for guest in same:
                    guest.deny(error)
                continue
            for guest in same:
                guest.principal = principal
                if _has_ended(principal):  # a user whom others vouch for: they are asked when the page comes again
                    guest.leave(RESTART, "the login is renewed")
                else:
                    stay.append(guest)
        return stay

    def _current(self) -> _Known:
        """What is known, emptied if the library has changed since."""
        change = 0 if self.library is None else self.library.changes()
        now = time.monotonic()
        if change != self._known.change or now > self._known.until:
            self._known = _Known(change, now + _SECONDS_KEPT)
        return self._known

    async def _users(self) -> dict[str, bool]:
        known = self._current()
        if known.users is None:
            entries = [] if self.library is None else await self.ask(self.library.users.entries)
            known.users = {entry.name: entry.admin for entry in entries}
        return known.users

    async def _page(self, text: str, credentials: Credentials) -> Principal:
        """Whom a page token stands for: a viewer of its document, for as long as who made it may let others see it."""
        if self.page_tokens is None:
            raise Unauthorized("This server has no secret, and so no page tokens: start it with --secret-file FILE.")
        token = self.page_tokens.read(text)
        if credentials.origin not in (None, token.origin):
            raise Unauthorized(f"This page token is for pages of {token.origin}, not of {credentials.origin}.")
        if token.user is not None:
            admin = (await self._users()).get(token.user, False)
            if not admin and (await self._role("document", token.document, token.user))[1] != "owner":
                raise Unauthorized(
                    "The user who embedded this plot may not share it any more: ask its owner for a new tag."
                )
        return Principal(
            credentials.address, scopes=scopes_of("read"), kind="page", document=token.document, expires=token.expires
        )

    async def _token(self, secret: str) -> TokenEntry | None:
        if self.library is None:
            return None
        known = self._current()
        if secret not in known.tokens:
            known.tokens[secret] = await self.ask(self.library.tokens.find, secret)
        return known.tokens[secret]

    async def _session(self, secret: str) -> str | None:
        if self.library is None:
            return None
        known = self._current()
        if secret not in known.sessions:
            known.sessions[secret] = await self.ask(self.library.sessions.find, secret)
        return known.sessions[secret]

    async def _role(self, kind: Kind, name: str, user: str | None) -> tuple[bool, Role | None]:
        """Whether the library has such a thing, and the role of a user (None: of everybody) on it."""
        if self.library is None:
            return False, None
        known, key = self._current(), (kind, name, user)
        if key not in known.roles:
            known.roles[key] = await self.ask(_look_up, self.library, kind, name, user)
        return known.roles[key]


def _has_ended(principal: Principal) -> bool:
    return principal.expires is not None and principal.expires <= time.time()


def _look_up(library: Library, kind: Kind, name: str, user: str | None) -> tuple[bool, Role | None]:
    entries = library.documents if kind == "document" else library.datasets
    return entries.find(name) is not None, library.access.role(kind, name, user)
