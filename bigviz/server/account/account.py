"""`/_/account`: one's tokens and password."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final

from bigviz.common.errors import BadInput, BigvizError
from bigviz.library.tokens import SCOPES, Scope, TokenEntry
from bigviz.library.users import UserEntry
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

__all__ = ["Account"]

_DAYS: Final = "90"
_SCOPE_WORDS: Final[dict[Scope, str]] = {
    "read": "read: see what you may see",
    "write": "write: read, publish and upload",
    "append": "append: add rows, and nothing else",
    "admin": "admin: everything that you may do",
}


class Account(AccountPage):
    """The page, and its forms: `action` is token, revoke or password."""

    need: ClassVar[Mapping[str, Need]] = {"GET": Need.USER, "POST": Need.user("admin")}
    at_writer = ("POST",)  # one process counts wrong passwords

    async def answer(self, *args: str) -> None:
        await self._show()

    async def on_post(self, *args: str) -> None:
        action = self.field("action")
        try:
            if action == "token":
                await self._make_token()
            elif action == "revoke":
                await self.site.people.ask(self.library.tokens.revoke, self.field("id"), self._user)
                self.audit("token revoked", self._user, token=self.field("id"))
                await self._show(done="The token is revoked: requests that bring it are refused from now on.")
            elif action == "password":
                await self._change_password()
            else:
                raise BadInput("The action of this form is token, revoke or password.", "action", action)
        except BigvizError as error:
            await self._show(error=error)

    @property
    def _user(self) -> str:
        if self.principal.user is None:
            raise BadInput("The operator has neither tokens nor a password: add a user, and sign in.")
        return self.principal.user

    async def _make_token(self) -> None:
        scope, days = self.field("scope"), self.field("days")
        if not days.isascii() or not days.isdigit() or len(days) > 9:
            raise BadInput(f"days is a whole number, got {days!r}.", "days", days)
        if scope not in SCOPES:
            raise BadInput(f"scope is one of {', '.join(SCOPES)}, got {scope!r}.", "scope", scope)
        _, secret = await self.site.people.ask(self.library.tokens.create, self._user, scope, int(days))
        self.audit("token made", self._user)
        await self._show(secret=secret)

    async def _change_password(self) -> None:
        new, user = self.field("new"), self._user
        entry = await self.site.people.ask(self.library.users.find, user)
        if entry is not None and entry.password:
            passwords = self.site.access.passwords
            await passwords.check(self.library, user, self.field("current"), self.principal.address)
        if new != self.field("again"):
            raise BadInput("The new password and its repetition differ.", "again")
        await self.site.access.passwords.run(self.library.users.set_password, user, new)
        self.audit("password set", user)
        self.principal = await self.sign_in(user)  # the new password has ended this session too
        await self._show(done="Your password is changed, and you are signed out everywhere else.")

    async def _show(
        self, *, secret: str | None = None, done: str | None = None, error: BigvizError | None = None
    ) -> None:
        user, library = self.principal.user, self.site.people.library
        entry = None if user is None or library is None else await self.site.people.ask(library.users.find, user)
        if entry is None or library is None:
            self.show(page("Account", self.root, note(error) + _without_account(user)), error)
            return
        tokens = await self.site.people.ask(library.tokens.entries, user)
        body = note(error) + note(done, "good") + _new_token(secret) + _tokens(tokens) + _password(entry)
        sign_out = form("logout", button("Sign out"), kind="list-end")
        self.show(page(f"Account of {entry.name}", self.root, body, more=sign_out), error)


def _without_account(user: str | None) -> str:
    if user is None:
        words = "You are the operator: on this machine, while the server has no users, everything is yours."
    else:
        words = f"You are signed in as {user} by your organisation, and have no account on this server."
    return paragraph(words, "Tokens belong to users, whom whoever runs the server adds with the command") + (
        "<pre>bigviz user add NAME</pre>\n"
    )


def _new_token(secret: str | None) -> str:
    if secret is None:
        return ""
    shown = copyable("secret", secret, "The new token", "Copy", "secret")
    return section("Your new token", note("Copy it now: it is not shown again.", "good"), shown)


def _tokens(tokens: Sequence[TokenEntry]) -> str:
    heads = ("Token", "Scope", "Made", "Expires", "Last used")
    listed = (
        table(heads, map(_row, tokens), kind="tokens") if tokens else paragraph("You have no tokens.", kind="muted")
    )
    make = form(
        "account",
        choice("scope", "Scope", [(scope, _SCOPE_WORDS[scope]) for scope in SCOPES], "write"),
        text_input("days", "Days until it expires", "number", value=_DAYS, min="1", max="36500", required=True),
        button("Make a token", kind="primary"),
        hidden={"action": "token"},
        kind="row",
    )
    words = paragraph(
        "Scripts show a token instead of a password: in BIGVIZ_TOKEN, or in the header Authorization: Bearer TOKEN."
    )
    return section("Tokens", words, listed, make)


def _row(token: TokenEntry) -> tuple[Sequence[str], str]:
    revoke = form(
        "account", button("Revoke", about=token.id), hidden={"action": "revoke", "id": token.id}, kind="in-row"
    )
    used = "never" if token.last_used is None else _day(token.last_used)
    expires = "expired" if token.expired else _day(token.expires)
    return (token.id, token.scope, _day(token.created), expires, used), revoke


def _password(user: UserEntry) -> str:
    current = text_input("current", "Current password", "password", autocomplete="current-password", required=True)
    new = partial(text_input, kind="password", autocomplete="new-password", minlength="8", required=True)
    fields = new("new", "New password"), new("again", "New password, again")
    make = form(
        "account",
        current if user.password else "",
        *fields,
        button("Change password" if user.password else "Set password", kind="primary"),
        hidden={"action": "password"},
    )
    words = paragraph("At least 8 characters, of any kind. A new one ends all your sessions; tokens stay valid.")
    return section("Password", words, make)


def _day(seconds: float) -> str:
    """A day in UTC, or "today"."""
    day, today = (datetime.fromtimestamp(each, UTC).date() for each in (seconds, time.time()))
    return "today" if day == today else day.isoformat()
