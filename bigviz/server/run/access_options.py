"""From the options of a server to its gate: whom it lets in, and whether it may listen where others can reach it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from bigviz.common.errors import BadInput
from bigviz.common.web.page_tokens import PageTokens, secret_of, secret_text
from bigviz.server.access.access import Access
from bigviz.server.access.hosts import is_loopback
from bigviz.server.access.people import People
from bigviz.server.access.proxies import Proxies
from bigviz.server.access.vouching import Function, Header, Vouching

if TYPE_CHECKING:
    from bigviz.library.library import Library
    from bigviz.server.limits import Limits

__all__ = ["OpenToAll", "access_of", "check_access", "check_reach"]


class AccessOptions(Protocol):
    """The options that are read here."""

    @property
    def address(self) -> str: ...
    @property
    def unix_socket(self) -> str | Path | None: ...
    @property
    def allow_anonymous(self) -> bool: ...
    @property
    def auth(self) -> str | None: ...
    @property
    def auth_header(self) -> str | None: ...
    @property
    def secret_file(self) -> str | Path | None: ...
    @property
    def trusted_proxies(self) -> Sequence[str]: ...
    @property
    def limits(self) -> Limits: ...


class OpenToAll(BadInput):
    """The server has no users, and would listen where others can reach it."""

    several_lines: ClassVar[bool] = True


def check_access(options: AccessOptions) -> None:
    """Raise BadInput for options that contradict each other, or that cannot be parsed or imported."""
    _vouching(options)
    _page_tokens(options)
    Proxies.of(options.trusted_proxies)


def check_reach(options: AccessOptions, library: Library | None) -> None:
    """Raise BadInput for an address that others can reach while nobody could tell who they are: that takes users, the
    organisation's own login, or the word that everyone may see the data."""
    known = options.auth is not None or options.auth_header is not None
    if options.unix_socket is not None or options.allow_anonymous or known or is_loopback(options.address):
        return
    if library is not None and library.users.count():
        return
    directory = "DIR" if library is None else shlex.quote(str(library.directory))
    raise OpenToAll(
        f"--address {options.address} can be reached from other machines, and there are no users who could sign in.\n"
        "Add one, and serve that library:\n"
        f"    bigviz user add NAME --admin --library {directory}\n"
        f"    bigviz serve ... --address {options.address} --library {directory}\n"
        "Or let everyone who can reach the address see the data:\n"
        f"    bigviz serve ... --address {options.address} --allow-anonymous",
        "address",
        options.address,
    )


def access_of(options: AccessOptions, port: int, library: Library | None) -> Access:
    """The gate of a server that listens at `port`."""
    vouching = _vouching(options)
    people = People(
        library, anonymous=options.allow_anonymous, vouching=vouching is not None, page_tokens=_page_tokens(options)
    )
    return Access(people, Proxies.of(options.trusted_proxies), vouching, f"bigviz-{port}", options.limits)


def _page_tokens(options: AccessOptions) -> PageTokens | None:
    """The tokens of embedded plots, under the secret of --secret-file or, without it, of BIGVIZ_SECRET."""
    if options.secret_file is not None:
        return PageTokens(secret_of(Path(options.secret_file)))
    text = os.environ.get("BIGVIZ_SECRET")
    return PageTokens(secret_text(text, "BIGVIZ_SECRET")) if text else None


def _vouching(options: AccessOptions) -> Vouching | None:
    """The organisation's own login."""
    if options.auth_header is None:
        return None if options.auth is None else Function(options.auth)
    if options.auth is not None:
        raise BadInput("--auth and --auth-header are two ways to say who somebody is: give one of them.", "auth")
    if not options.trusted_proxies:
        raise BadInput(
            "--auth-header needs --trusted-proxy, the address of the proxy that sets the header: from anybody else it "
            "is worth nothing.",
            "auth-header",
            options.auth_header,
        )
    return Header(options.auth_header)
