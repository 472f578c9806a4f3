"""What each route and each kind of message needs, declared where it is defined.

A handler class has `need`: one `Need` for GET and HEAD, or a mapping from HTTP methods to needs. What declares nothing
fails when the server starts (`needs_of`), so that a route cannot be open because somebody forgot about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from bigviz.library.access import Role
from bigviz.library.items import Kind
from bigviz.library.tokens import Scope

__all__ = ["Need", "needs_of"]

Who = Literal["everybody", "known", "user", "admin", "role"]

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Need:
    """What a caller must be or have.

    `who` is everybody; known (all but those without credentials); user (a user, or the operator); admin; or role: one
    on the `kind` named by the route's first argument. `creates`: a name that does not exist yet needs a user instead.
    `scope` is what a token must allow besides. `same` answers are the same for everybody, and may be kept by caches.
    `shows`: it belongs to the showing of a document, and the page token of that document is enough. `reads`: it changes
    nothing, whatever its method, so that those who may only look may do it.
    """

    who: Who
    scope: Scope = "read"
    kind: Kind | None = None
    role: Role | None = None
    creates: bool = False
    same: bool = False
    shows: bool = False
    reads: bool = False

    PUBLIC: ClassVar[Need]  # the same answer for everybody: static files, login, /healthz
    LIST: ClassVar[Need]  # everybody; the answer holds what the caller may see
    CALLER: ClassVar[Need]  # all but those without credentials
    USER: ClassVar[Need]  # a user, or the operator
    ADMIN: ClassVar[Need]

    @classmethod
    def user(cls, scope: Scope) -> Need:
        """A user, or the operator, whose token has this scope."""
        return cls("user", scope)

    @classmethod
    def document(cls, role: Role, scope: Scope = "read", *, creates: bool = False) -> Need:
        """A role on the document named by the route's first argument."""
        return cls("role", scope, "document", role, creates)

    @classmethod
    def shown(cls) -> Need:
        """A viewer of the document named by the route's first argument, or whoever has a page token of it."""
        return cls("role", "read", "document", "viewer", shows=True, reads=True)

    @classmethod
    def dataset(cls, role: Role, scope: Scope = "read", *, creates: bool = False) -> Need:
        """A role on the dataset named by the route's first argument."""
        return cls("role", scope, "dataset", role, creates)


Need.PUBLIC = Need("everybody", same=True)
Need.LIST = Need("everybody")
Need.CALLER = Need("known")
Need.USER = Need("user")
Need.ADMIN = Need("admin", "admin")


def needs_of(handler: type) -> Mapping[str, Need]:
    """The needs of a handler class by HTTP method. TypeError where it declares none, or not one for a method of it."""
    declared = getattr(handler, "need", None)
    if isinstance(declared, Need):
        return {"GET": declared, "HEAD": declared}
    if not isinstance(declared, Mapping) or not declared or not _are_needs(declared.values()):
        raise TypeError(f"{handler.__name__} declares no `need`: what must a caller be, or have, to use it?")
    if unknown := declared.keys() - _METHODS:
        raise TypeError(f"{handler.__name__}.need has keys that are no methods: {', '.join(sorted(unknown))}.")
    return {**declared, "HEAD": declared["GET"]} if "GET" in declared else declared


def _are_needs(values: Iterable[object]) -> bool:
    return all(isinstance(each, Need) for each in values)
