"""Who a request comes from, and what a token of theirs allows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, Literal

from bigviz.library.access import Caller
from bigviz.library.tokens import Scope

__all__ = ["ALL_SCOPES", "Principal", "scopes_of"]

ALL_SCOPES: Final[frozenset[Scope]] = frozenset(("read", "write", "append", "admin"))
_INCLUDED: Final[dict[Scope, frozenset[Scope]]] = {
    "read": frozenset(("read",)),
    "write": frozenset(("read", "write", "append")),
    "append": frozenset(("append",)),
    "admin": ALL_SCOPES,
}


@dataclass(frozen=True)
class Principal:
    """The one a request comes from.

    `kind` is operator (whoever runs the server, on the same machine, while it has no users), visitor (a page of another
    origin in the operator's browser: it sees what the operator sees, and changes nothing), user, page (the holder of a
    page token, who views one `document`), anyone (without credentials, where the server allows that) or nobody (without
    credentials, where it does not). `admin`: what the caller may see and do does not depend on roles. `scopes` bound
    what a token may do; without a token they are all. `expires` is when the credentials end, in seconds since the
    epoch, None for those that no time ends.
    """

    address: str
    user: str | None = None
    admin: bool = False
    scopes: frozenset[Scope] = ALL_SCOPES
    kind: Literal["operator", "visitor", "user", "page", "anyone", "nobody"] = "nobody"
    document: str | None = None
    expires: float | None = field(default=None, compare=False)

    @property
    def caller(self) -> Caller:
        """The same, as the library asks for it."""
        return Caller(self.user, self.admin)

    @property
    def known(self) -> bool:
        """Whether the request came with credentials, or needs none: a user or the operator."""
        return self.kind in ("operator", "user")

    @property
    def share(self) -> Hashable:
        """Whose share of the server a request uses, of builds and of turns in the queue of jobs: a user's, wherever the
        requests come from, or else an address's."""
        return self.address if self.user is None else ("user", self.user)


def scopes_of(scope: Scope) -> frozenset[Scope]:
    """All that a token of this scope allows: `write` reads and appends too, `admin` does everything."""
    return _INCLUDED[scope]
