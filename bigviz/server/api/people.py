"""`/_/api/me` and `/_/api/tokens`: who the caller is, and tokens for scripts of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, Conflict
from bigviz.library.tokens import SCOPES
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler
from bigviz.server.request_values import choice

if TYPE_CHECKING:
    from bigviz.library.tokens import Scope, TokenEntry

__all__ = ["Me", "Token", "Tokens", "new_token_in", "told_token"]


class Me(ApiHandler):
    """`me`: who the caller is and may do."""

    need = Need.CALLER

    async def answer(self, *args: str) -> None:
        principal = self.principal
        facts = {"user": principal.user, "kind": principal.kind, "admin": principal.admin}
        may = {"scopes": sorted(principal.scopes), "publish": self._may_publish()}
        self.write_json({**facts, **may})
        self.finish()

    def _may_publish(self) -> bool:
        principal = self.principal
        return self.site.library is not None and principal.known and "write" in principal.scopes


class Tokens(ApiHandler):
    """`tokens`: those of the caller; a new one, whose secret is told here and never again."""

    need: ClassVar[Mapping[str, Need]] = {"GET": Need.USER, "POST": Need.user("admin")}

    async def answer(self, *args: str) -> None:
        shelf = await self.site.shelf()
        user = self.principal.user
        found = [] if user is None else await shelf.run(shelf.library.tokens.entries, user)
        self.write_json({"tokens": [told_token(each) for each in found]})
        self.finish()

    async def on_post(self, *args: str) -> None:
        scope, days = new_token_in(self)
        user = self.principal.user
        if user is None:
            raise Conflict("A token is a user's: make one first, with `bigviz user add NAME --admin`.", "user")
        shelf = await self.site.shelf()
        entry, secret = await shelf.run(shelf.library.tokens.create, user, scope, days)
        self.audit("token made", user)
        self.set_header("Cache-Control", "no-store")
        self.set_status(201)
        self.write_json({**told_token(entry), "token": secret})
        self.finish()


class Token(ApiHandler):
    """`tokens/ID`: taken away."""

    need: ClassVar[Mapping[str, Need]] = {"DELETE": Need.user("admin")}

    async def on_delete(self, *args: str) -> None:
        (id,) = args
        shelf = await self.site.shelf()
        user = None if self.principal.admin else self.principal.user
        await shelf.run(shelf.library.tokens.revoke, id, user)
        self.audit("token revoked", user, token=id)
        self.set_status(204)
        self.finish()


def new_token_in(handler: ApiHandler) -> tuple[Scope, float]:
    """The scope and the days that a body asks for. Raises BadInput."""
    value = handler.value("scope", optional={"days": 90})
    scope: Scope = choice(value["scope"], "scope", SCOPES)  # type: ignore[assignment]
    days = value["days"]
    if isinstance(days, bool) or not isinstance(days, int | float):
        raise BadInput(f"days is a number, got {echoed(days, 60)}.", "days")
    return scope, days


def told_token(entry: TokenEntry) -> dict[str, Any]:
    """A token without its user, who is known."""
    return {
        "id": entry.id,
        "scope": entry.scope,
        "created": entry.created,
        "expires": entry.expires,
        "last_used": entry.last_used,
    }
