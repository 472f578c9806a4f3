"""Where and for whom a server listens, what it keeps and where, and what it lets apps do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bigviz.common.errors import BadInput
from bigviz.common.web.public_url import PATH, PublicUrl
from bigviz.library.library import Library
from bigviz.server.access.hosts import Hosts
from bigviz.server.documents.quota import MOST_BYTES
from bigviz.server.limits import Limits
from bigviz.server.run.access_options import check_access, check_reach
from bigviz.server.run.index_options import Storage
from bigviz.server.run.listener import LOCAL

if TYPE_CHECKING:
    from bigviz.data.appending.log import Durability
    from bigviz.server.streams.append_hook import OnAppend

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Where and for whom a server listens, where it keeps indexes (see `Storage`), and the directory of its library
    (None: it has none), in which so many versions of each document are kept, and what is appended is durable as
    `durability` says before it is acknowledged. With `certificate` and `key`, PEM files, it speaks TLS. A `unix_socket`
    takes the place of address and port. `public_url` is where browsers reach it, behind a proxy. `secret_file` holds
    what signs page tokens. `max_connections` and `max_connections_per_address` take the place of those in `limits`.
    `on_append` is called with what is appended to datasets of the library. Without `basemaps` no page draws a map. An
    app's process may take `app_memory` bytes (None: half of the machine's memory), a callback of it `callback_seconds`;
    the session of a page that is gone is kept for `session_seconds`. `shared`: all pages of a document have one
    session. `dev`: apps are run again when their files change."""

    port: int = 5006
    address: str = "127.0.0.1"
    prefix: str = ""
    public_url: str | None = None
    allow_hosts: Sequence[str] = ()
    allow_origins: Sequence[str] = ()
    allow_anonymous: bool = False
    auth: str | None = None
    auth_header: str | None = None
    trusted_proxies: Sequence[str] = ()
    secret_file: str | Path | None = None
    unix_socket: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None
    dev: bool = False
    store_dir: str | Path | None = None
    store_limit: int | None = None
    index: str = "auto"
    cache: int | None = None
    library: str | Path | None = None
    keep_versions: int = 100
    user_quota: int = MOST_BYTES
    basemaps: bool = True
    durability: Durability = "fsync"
    on_append: OnAppend | None = None
    app_memory: int | None = None
    callback_seconds: float = 10.0
    session_seconds: float = 300.0
    shared: bool = False
    max_connections: int | None = None
    max_connections_per_address: int | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def bounds(self) -> Limits:
        """The `limits` with the numbers of connections that the operator chose (None: as they are)."""
        limits = self.limits
        most, each = self.max_connections, self.max_connections_per_address
        return replace(
            limits,
            connections=limits.connections if most is None else most,
            connections_per_address=limits.connections_per_address if each is None else each,
        )

    @property
    def storage(self) -> Storage:
        """Where indexes are kept, and which are made; BadInput for unknown words."""
        return Storage.of(self.store_dir, self.store_limit, self.index, self.cache)

    def hosts(self, port: int) -> Hosts:
        """Which names a server at this port, or at the unix socket, answers to; BadInput for what cannot be parsed."""
        address, at = (self.address, port) if self.unix_socket is None else (LOCAL, None)
        public, tls = self.public, self.certificate is not None
        origin = None if public is None else public.origin
        return Hosts.of(address, at, self.allow_hosts, self.allow_origins, tls=tls, public=origin)

    @property
    def public(self) -> PublicUrl | None:
        """Where browsers reach the server, if it is told; BadInput for what is no address."""
        return None if self.public_url is None else PublicUrl.of(self.public_url)

    def check(self, library: Library | None = None) -> None:
        """Raise BadInput for a prefix that is no path, for hosts, origins and proxies that cannot be parsed, for a mode
        of indexing that is none, for logins that cannot be, and for an address that others can reach without the
        `library` having users, unless they may see everything."""
        if not PATH.fullmatch(self.prefix):
            raise BadInput(f"--prefix is a path like /plots, got {self.prefix!r}.", "prefix", self.prefix)
        self.hosts(self.port)
        _ = self.storage
        if self.unix_socket is not None and (self.certificate or self.key):
            raise BadInput("--certificate is for --address and --port: what goes over a unix socket leaves no machine.")
        check_access(self)
        check_reach(self, library)
