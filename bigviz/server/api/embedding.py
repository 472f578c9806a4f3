"""`/_/api/documents/NAME/embed`: a token with which pages of another origin may show a private document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, Conflict
from bigviz.common.web.page_tokens import DEFAULT_SECONDS, canonical_origin
from bigviz.server.access.foreign_pages import refusal
from bigviz.server.access.gate import Need
from bigviz.server.api.base import ApiHandler

__all__ = ["Embed"]


class Embed(ApiHandler):
    """`{origin, seconds}` to `{token, origin, expires}`; `seconds` is an hour where it is left out, a week at most.

    It takes an owner, since whoever sees the page sees the document.
    """

    need: ClassVar[Mapping[str, Need]] = {"POST": Need.document("owner", "write")}

    async def on_post(self, *args: str) -> None:
        (name,) = args
        value = self.value("origin", optional={"seconds": DEFAULT_SECONDS})
        origin, seconds = value["origin"], value["seconds"]
        if not isinstance(origin, str):
            raise BadInput(f"origin is that of the page that shows the plot, got {echoed(origin, 60)}.", "origin")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise BadInput(f"seconds is a number, got {echoed(seconds, 60)}.", "seconds")
        tokens, origin = self.site.people.page_tokens, canonical_origin(origin)
        if tokens is None:
            raise Conflict(
                "This server has no secret to sign with: `bigviz secret > FILE` makes one, --secret-file FILE uses it."
            )
        if not self.site.hosts.lets_in(origin):
            raise BadInput(refusal(origin), "origin", origin)
        token, expires = tokens.make(name, origin, seconds, self.principal.user)
        self.set_status(201)
        self.write_json({"token": token, "origin": origin, "expires": expires})
        self.finish()
