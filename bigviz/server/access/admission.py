"""Whether a caller has what a route or a message needs: the one place that says no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bigviz.common.errors import BigvizError, Forbidden, NotFound, Unauthorized
from bigviz.library.access import ROLES

if TYPE_CHECKING:
    from bigviz.library.access import Role
    from bigviz.library.items import Kind
    from bigviz.library.tokens import Scope
    from bigviz.server.access.gate import Need
    from bigviz.server.access.principal import Principal

__all__ = ["Roles", "admit", "sign_in_first", "unknown"]


class Roles(Protocol):
    """What is asked of the `People` of a server."""

    signs_in: bool

    async def role(self, principal: Principal, kind: Kind, name: str) -> Role | None: ...
    async def exists(self, kind: Kind, name: str) -> bool: ...


async def admit(people: Roles, need: Need, principal: Principal, name: str = "") -> None:
    """Return if the principal has what is needed, of the document or dataset `name` where a role is.

    Raises Unauthorized for callers without credentials; with credentials NotFound for what one may not know of, and
    Forbidden for what one may see, but not do.
    """
    if principal.kind == "page" and not (need.shows or need.who == "everybody"):
        raise Unauthorized("A page token shows its document in a page, and is good for nothing else.")
    if need.who == "role":
        await _check_role(people, need, principal, name)
    elif need.who != "everybody":
        _check_kind(people, need, principal)
    if not need.same:
        _check_scope(need.scope, principal)


def sign_in_first(people: Roles) -> Unauthorized:
    """The error for callers without credentials, where they need some."""
    if people.signs_in:
        return Unauthorized("Sign in first.")
    return Unauthorized("This server has no users: start it with --allow-anonymous to let others see its documents.")


def unknown(people: Roles, principal: Principal, kind: str, name: str) -> BigvizError:
    """The error for a name that does not exist or that this caller may not know of: the same for both."""
    if not principal.known and not principal.admin and people.signs_in:
        return Unauthorized("Sign in to see this.", kind, name[:100])
    if principal.kind == "nobody":
        return sign_in_first(people)
    return NotFound(f"There is no such {kind}, or you may not see it.", kind, name[:100])


async def _check_role(people: Roles, need: Need, principal: Principal, name: str) -> None:
    assert need.kind is not None and need.role is not None
    role = await people.role(principal, need.kind, name)
    if role is None:
        if not need.creates or not principal.known or await people.exists(need.kind, name):
            raise unknown(people, principal, need.kind, name)
    elif ROLES.index(role) < ROLES.index(need.role):
        if not principal.known:
            raise Unauthorized(f"Sign in as {_article(need.role)} of this {need.kind}.", need.kind, name[:100])
        message = f"You are {_article(role)} of {name[:100]!r}: this takes {_article(need.role)}. Ask its owner."
        raise Forbidden(message, need.kind, name[:100])


def _check_kind(people: Roles, need: Need, principal: Principal) -> None:
    if principal.kind == "nobody":
        raise sign_in_first(people)
    if need.who != "known" and not principal.known:
        raise sign_in_first(people)
    if need.who == "admin" and not principal.admin:
        raise Forbidden("Only admins may do this.")


def _check_scope(scope: Scope, principal: Principal) -> None:
    if scope not in principal.scopes:
        allowed = ", ".join(sorted(principal.scopes))
        raise Forbidden(f"This takes a token of scope {scope}: the one that came allows {allowed}.", "scope", scope)


def _article(role: str) -> str:
    return f"an {role}" if role == "owner" else f"a {role}"
