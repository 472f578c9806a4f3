"""What the gate of one server works with: people, proxies, the organisation's login, and how often each may ask."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bigviz.common.errors import BadInput, Unauthorized
from bigviz.library.names import check_user_name
from bigviz.server.access.credentials import Credentials, credentials_of
from bigviz.server.access.foreign_pages import ForeignPages
from bigviz.server.access.passwords import Passwords
from bigviz.server.access.people import People
from bigviz.server.access.proxies import Proxies
from bigviz.server.access.rates import Rates
from bigviz.server.access.vouching import Vouching, vouched_until
from bigviz.server.limits import Limits

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

__all__ = ["Access"]


@dataclass
class Access:
    """`cookie` is the name of the session's cookie: cookies do not tell ports apart, so it holds the server's."""

    people: People = field(default_factory=People)
    proxies: Proxies = field(default_factory=Proxies)
    vouching: Vouching | None = None
    cookie: str = "bigviz"
    limits: Limits = field(default_factory=Limits)
    requests: Rates = field(init=False)
    messages: Rates = field(init=False)
    passwords: Passwords = field(init=False)
    foreign_pages: ForeignPages = field(default_factory=ForeignPages)

    def __post_init__(self) -> None:
        limits = self.limits
        self.requests = Rates(limits.requests_burst, limits.requests_per_second)
        self.messages = Rates(limits.all_messages_burst, limits.all_messages_per_second)
        self.passwords = Passwords(limits)

    def close(self) -> None:
        """End the threads that ask the library."""
        self.people.close()
        self.passwords.close()

    async def credentials(self, request: HTTPServerRequest, proxied: bool) -> Credentials:
        """What the request brings, with the user whom the organisation's login names. What is `proxied` by a trusted
        proxy is not local, though nothing else in it may say that it was passed on."""
        found = credentials_of(request, self.cookie)
        if proxied:
            found = replace(found, local=False)
        if self.vouching is None or found.token is not None or found.foreign:
            return found
        user = await self.vouching.user(request, proxied)
        if user is None:
            return found
        try:
            check_user_name(user)
        except BadInput as error:
            raise Unauthorized(f"The login named a user that cannot be one. {error.message}") from None
        return replace(found, vouched=user, until=vouched_until())
