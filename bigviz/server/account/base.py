"""What the pages of people share: the form's fields, signing in, and the way on."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from bigviz.common.errors import BadInput, BigvizError
from bigviz.library.library import Library
from bigviz.library.views import is_view_id
from bigviz.server.access.credentials import Credentials
from bigviz.server.access.principal import Principal
from bigviz.server.account.session_cookie import set_session_cookie
from bigviz.server.error_json import retry_after, status_of
from bigviz.server.http.pages import HtmlHandler

__all__ = ["AccountPage"]

_LONGEST: Final = 1_024  # characters of a field: as many as a password may have


class AccountPage(HtmlHandler):
    """A page with forms. It is kept by no cache, and its forms say where they come from (with the policy
    `no-referrer` browsers would send "null" as their Origin)."""

    def show(self, page: bytes, error: BigvizError | None = None) -> None:
        """Answer with a page, which shows why the form was refused where there is an `error`."""
        self.restart(200 if error is None else status_of(error))
        seconds = None if error is None else retry_after(error)
        if seconds is not None:
            self.set_header("Retry-After", str(seconds))
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")
        self.write_page(page)
        self.finish()

    def go_on(self, address: str) -> None:
        """Lead the browser on, by GET, after a form was sent. `address` is relative and made here, never by a
        client."""
        self.restart(303)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Location", address)
        self.finish()

    @property
    def library(self) -> Library:
        """The library, of which the page shows something."""
        library = self.site.people.library
        if library is None:
            raise BadInput("This server has no library: it knows no users. Start it with --library DIR.")
        return library

    def field(self, name: str) -> str:
        """A field of the form that was sent, "" without it; BadInput for what no page of ours sends."""
        found = self.request.body_arguments.get(name, [])
        if len(found) > 1:
            raise BadInput(f"{name} is given {len(found)} times: give it once.", name)
        try:
            text = found[0].decode() if found else ""
        except UnicodeDecodeError:
            raise BadInput(f"{name} is not UTF-8.", name) from None
        if len(text) > _LONGEST:
            raise BadInput(f"{name} has at most {_LONGEST:,} characters, got {len(text):,}.", name)
        return text

    async def sign_in(self, user: str) -> Principal:
        """Make a session and give the browser its cookie; the session that it had before ends."""
        people, sessions = self.site.people, self.library.sessions
        if self.credentials.session is not None:
            await people.ask(sessions.end, self.credentials.session)
        secret = await people.ask(sessions.create, user)
        set_session_cookie(self, secret)
        return await people.principal(Credentials(self.principal.address, session=secret))

    async def way_to(self, name: str, view: str, principal: Principal) -> str:
        """The relative address of a document that the caller may see, or of a view of it that was kept under the id
        `view`; else of the list."""
        if name and await self.site.people.role(principal, "document", name):
            return f"{self.root}{quote(name, safe='')}/" + (f"?v={view}" if is_view_id(view) else "")
        return self.root or "./"
