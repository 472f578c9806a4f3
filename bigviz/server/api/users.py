"""`/_/api/users`: the people of the library and their tokens, for admins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, Conflict
from bigviz.library.users import Kept
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler
from bigviz.server.api.people import new_token_in, told_token

if TYPE_CHECKING:
    from bigviz.library.users import UserEntry, Users

__all__ = ["AllUsers", "Link", "Password", "User", "UserTokens"]

_ADMIN: Need = Need.ADMIN


class _OfUsers(ApiHandler):
    async def users(self) -> Users:
        """The users of the library. Raises Conflict where the server has none."""
        return (await self.site.shelf()).library.users

    def secret(self) -> None:
        """No cache keeps this answer."""
        self.set_header("Cache-Control", "no-store")


class AllUsers(_OfUsers):
    """`users`: all of them; a new one."""

    need: ClassVar[Mapping[str, Need]] = {"GET": _ADMIN, "POST": _ADMIN}

    async def answer(self, *args: str) -> None:
        users = await self.users()
        found = await self.site.people.ask(users.entries)
        shelf = await self.site.shelf()
        kept = [await shelf.run(shelf.library.kept_by, each.name) for each in found]
        self.write_json({"users": [_told(*each) for each in zip(found, kept, strict=True)]})
        self.finish()

    async def on_post(self, *args: str) -> None:
        value = self.value("name", optional={"admin": False, "password": None})
        name, admin, password = _text(value["name"], "name"), value["admin"], value["password"]
        if not isinstance(admin, bool):
            raise BadInput(f"admin is true or false, got {echoed(admin, 60)}.", "admin")
        if password is not None:
            password = _password(password)
        users = await self.users()
        await self.site.access.passwords.run(users.add, name, admin=admin, password=password)
        self.audit("admin added" if admin else "user added", name)
        found = await self.site.people.ask(users.entry, name)
        self.set_status(201)
        self.write_json(_told(found, Kept(0, 0)))
        self.finish()


class User(_OfUsers):
    """`users/NAME`: taken away. Nobody takes away themselves, so that an admin is left."""

    need: ClassVar[Mapping[str, Need]] = {"DELETE": _ADMIN}

    async def on_delete(self, *args: str) -> None:
        (name,) = args
        users = await self.users()
        if name == self.principal.user:
            raise Conflict(
                "You cannot remove yourself: another admin can, or `bigviz user remove` where the server runs.",
                "name",
                name,
            )
        await self.site.people.ask(users.remove, name)
        self.audit("user removed", name)
        self.set_status(204)
        self.finish()


class Password(_OfUsers):
    """`users/NAME/password`: another one. It ends the user's sessions and links."""

    need: ClassVar[Mapping[str, Need]] = {"PUT": _ADMIN}

    async def on_put(self, *args: str) -> None:
        (name,) = args
        password = _password(self.value("password")["password"])
        users = await self.users()
        await self.site.people.ask(users.entry, name)
        await self.site.access.passwords.run(users.set_password, name, password)
        self.audit("password set", name)
        self.set_status(204)
        self.finish()


class Link(_OfUsers):
    """`users/NAME/link`: an address that signs a user in, once and within 15 minutes."""

    need: ClassVar[Mapping[str, Need]] = {"POST": _ADMIN}

    async def on_post(self, *args: str) -> None:
        (name,) = args
        self.value()
        users = await self.users()
        secret = await self.site.people.ask(users.make_link, name)
        self.audit("link made", name)
        self.secret()
        self.set_status(201)
        self.write_json({"url": self.address_of(f"_/link/{secret}")})
        self.finish()


class UserTokens(_OfUsers):
    """`users/NAME/tokens`: those of a user; a new one, whose secret is told here and never again."""

    need: ClassVar[Mapping[str, Need]] = {"GET": _ADMIN, "POST": _ADMIN}

    async def answer(self, *args: str) -> None:
        (name,) = args
        users = await self.users()
        await self.site.people.ask(users.entry, name)
        shelf = await self.site.shelf()
        found = await shelf.run(shelf.library.tokens.entries, name)
        self.write_json({"tokens": [told_token(each) for each in found]})
        self.finish()

    async def on_post(self, *args: str) -> None:
        (name,) = args
        scope, days = new_token_in(self)
        shelf = await self.site.shelf()
        entry, secret = await shelf.run(shelf.library.tokens.create, name, scope, days)
        self.audit("token made", name)
        self.secret()
        self.set_status(201)
        self.write_json({**told_token(entry), "token": secret})
        self.finish()


def _told(entry: UserEntry, kept: Kept) -> dict[str, Any]:
    return {**asdict(entry), **asdict(kept)}


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{field} is text, got {echoed(value, 60)}.", field)
    return value


def _password(value: Any) -> str:
    if not isinstance(value, str):
        raise BadInput("password is text.", "password")  # whatever it is, no answer holds it
    return value
