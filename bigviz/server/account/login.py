"""`/_/login`, `/_/logout` and `/_/link/SECRET`: how a browser gets a session, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from bigviz.common.errors import NotFound, TooMany, Unauthorized
from bigviz.server.access.gate import Need
from bigviz.server.account.base import AccountPage
from bigviz.server.account.markup import button, form, note, page, paragraph, text_input
from bigviz.server.account.session_cookie import clear_session_cookie

__all__ = ["Link", "Login", "Logout"]

_OPEN: Final = {"GET": Need.PUBLIC, "POST": Need.PUBLIC}


@dataclass(frozen=True)
class Following:
    """Where the login leads on to: the name of a document, and the id of a view of it; "" for none."""

    name: str
    view: str

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the form that carry it."""
        return {key: value for key, value in (("next", self.name), ("v", self.view)) if value}


class Login(AccountPage):
    """The form, and what it sends: `username`, `password`, `next`, the name of the document to go on to, and `v`, the
    id of a view of it. The view in the page's hash is kept by keep_hash.js: no server sees it."""

    need = _OPEN
    at_writer = ("POST",)  # one process counts wrong passwords

    async def answer(self, *args: str) -> None:
        following = Following(self.query("next") or "", self.query("v") or "")
        has_users = self.site.people.library is not None and await self.site.people.has_users()
        self.show(_login_page(self.root, following) if has_users else _no_users_page(self.root))

    async def on_post(self, *args: str) -> None:
        user, password = self.field("username").strip(), self.field("password")
        following = Following(self.field("next"), self.field("v"))
        try:
            await self.site.access.passwords.check(self.library, user, password, self.principal.address)
        except (TooMany, Unauthorized) as error:
            self.show(_login_page(self.root, following, user, error.message), error)
            return
        principal = await self.sign_in(user)
        self.go_on(await self.way_to(following.name, following.view, principal))


class Logout(AccountPage):
    """Ends the session."""

    need: ClassVar[Mapping[str, Need]] = {"POST": Need.PUBLIC}

    async def on_post(self, *args: str) -> None:
        if self.credentials.session is not None and self.site.people.library is not None:
            await self.site.people.ask(self.library.sessions.end, self.credentials.session)
        clear_session_cookie(self)
        self.go_on("login")


class Link(AccountPage):
    """A link that lets somebody in once. Opening it does not use it up, since mail and chat programs open links by
    themselves; its button does."""

    need = _OPEN

    async def answer(self, *args: str) -> None:
        (secret,) = args
        user = await self.site.people.ask(self.library.users.link_user, secret)
        if user is None:
            self._refuse()
            return
        words = paragraph("This link signs you in once, in this browser.")
        self.show(page("Sign in", self.root, words + form(secret, button(f"Sign in as {user}", kind="primary"))))

    async def on_post(self, *args: str) -> None:
        (secret,) = args
        user = await self.site.people.ask(self.library.users.use_link, secret)
        if user is None:
            self._refuse()
            return
        await self.sign_in(user)
        self.go_on(self.root)

    def _refuse(self) -> None:
        error = NotFound("This link is no longer valid: it works once, within 15 minutes. Ask for a new one.")
        self.show(page("Sign in", self.root, note(error.message)), error)


def _login_page(root: str, following: Following, user: str = "", message: str | None = None) -> bytes:
    fields = form(
        "login",
        text_input("username", "User name", value=user, autocomplete="username", required=True, autofocus=not user),
        text_input(
            "password", "Password", "password", autocomplete="current-password", required=True, autofocus=bool(user)
        ),
        button("Sign in", kind="primary"),
        hidden=following.fields,
    )
    help_ = paragraph("No password yet? Whoever runs this server can make a link that lets you in.", kind="muted")
    return page("Sign in", root, note(message) + fields + help_, script="keep_hash.js")


def _no_users_page(root: str) -> bytes:
    words = paragraph("This server has no users who could sign in here. Whoever runs it adds them with the command")
    return page("Sign in", root, words + "<pre>bigviz user add NAME</pre>\n")
