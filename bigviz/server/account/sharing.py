"""`/_/documents/NAME/access` and `/_/datasets/NAME/access`: who may see it, the link to it, and making it public."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from bigviz.common.errors import BadInput, BigvizError
from bigviz.library.access import ROLES, Role
from bigviz.library.items import Kind
from bigviz.library.library import Library
from bigviz.library.names import check_user_name
from bigviz.server.access.gate import Need
from bigviz.server.account.base import AccountPage
from bigviz.server.account.markup import (
    button,
    choice,
    copyable,
    form,
    note,
    page,
    paragraph,
    section,
    table,
    text_input,
)
from bigviz.server.documents.stored import require_free

__all__ = ["DatasetAccess", "DocumentAccess"]

_ROLE_WORDS: Final = {
    "viewer": "viewer: may see it",
    "writer": "writer: may change it too",
    "owner": "owner: may decide who else",
}


class _Sharing(AccountPage):
    """The page, and its forms: `action` is public, private, give (`user`, `role`) or take (`user`)."""

    kind: ClassVar[Kind]

    async def answer(self, *args: str) -> None:
        await self._show(args[0])

    async def on_post(self, *args: str) -> None:
        (name,) = args
        try:
            require_free(self.site, self.kind, name)
            access = self.library.access
            public, users = await self._changed(await self.site.people.ask(access.get, self.kind, name))
            await self.site.people.ask(access.set, self.kind, name, public, users, caller=self.principal.caller)
        except BigvizError as error:
            await self._show(name, error)
            return
        self.go_on("access")

    async def _changed(self, access: dict[str, Any]) -> tuple[bool, dict[str, Role]]:
        """Whether it is public, and the roles of users, after what the form asks for."""
        action, user, users = self.field("action"), self.field("user").strip(), dict(access["users"])
        if action in ("public", "private"):
            return action == "public", users
        if action == "take":
            users.pop(user, None)
        elif action == "give":
            await self._check_known(check_user_name(user))
            role = self.field("role")
            if role not in ROLES:
                raise BadInput(f"role is one of {', '.join(ROLES)}, got {role!r}.", "role", role)
            users[user] = role
        else:
            raise BadInput("The action of this form is public, private, give or take.", "action", action)
        return access["public"], users

    async def _check_known(self, user: str) -> None:
        """Raise BadInput for a name that is mistyped: no user has it, and nobody else names users here."""
        if self.site.access.vouching is None and await self.site.people.ask(self.library.users.find, user) is None:
            raise BadInput(f"There is no user {user!r}. Upper and lower case matter.", "user", user)

    async def _show(self, name: str, error: BigvizError | None = None) -> None:
        people, library = self.site.people, self.site.people.library
        given = people.given(self.kind, name)
        access = None if given or library is None else await people.ask(library.access.get, self.kind, name)
        owner = None if access is None or library is None else await people.ask(_owner, library, self.kind, name)
        body = note(error)
        if self.kind == "document":
            body += section(
                "Link", copyable("address", self.address_of(f"{quote(name, safe='')}/"), "Address", "Copy link")
            )
        body += (
            _given(people.anonymous) if access is None else _public(access["public"]) + _users(access["users"], owner)
        )
        self.show(page(f"Who may see “{name}”", self.root, body), error)


class DocumentAccess(_Sharing):
    """`/_/documents/NAME/access`."""

    kind = "document"
    need: ClassVar[Mapping[str, Need]] = {
        "GET": Need.document("owner"),
        "POST": Need.document("owner", "write"),
    }


class DatasetAccess(_Sharing):
    """`/_/datasets/NAME/access`."""

    kind = "dataset"
    need: ClassVar[Mapping[str, Need]] = {"GET": Need.dataset("owner"), "POST": Need.dataset("owner", "write")}


def _owner(library: Library, kind: Kind, name: str) -> str | None:
    entries = library.documents if kind == "document" else library.datasets
    return entries.entry(name).owner


def _given(anonymous: bool) -> str:
    who = "Everybody who can reach the server" if anonymous else "Every user"
    return section("Who may see it", paragraph(f"{who}: it was named on the command line that started the server."))


def _public(public: bool) -> str:
    if public:
        words = "Everybody who has the link may see this, without signing in, and finds it in the list."
        button_ = button("Make private", name="action", value="private")
    else:
        words = "Only admins and the people below may see this."
        button_ = button("Make public", kind="primary", name="action", value="public")
    return section("Public" if public else "Private", paragraph(words), form("access", button_))


def _users(users: dict[str, str], owner: str | None) -> str:
    rows = (((user, role), "" if user == owner else _removal(user)) for user, role in users.items())
    listed = table(("User", "Role"), rows)
    give = form(
        "access",
        text_input("user", "User", autocomplete="off", required=True, spellcheck="false", autocapitalize="none"),
        choice("role", "Role", [(role, _ROLE_WORDS[role]) for role in ROLES], "viewer"),
        button("Add", kind="primary"),
        hidden={"action": "give"},
        kind="row",
    )
    return section("People", listed if users else paragraph("Nobody but admins.", kind="muted"), give)


def _removal(user: str) -> str:
    return form("access", button("Remove", about=user), hidden={"action": "take", "user": user}, kind="in-row")
