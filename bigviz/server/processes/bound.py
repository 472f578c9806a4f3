"""The sockets at which a server listens."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigviz.server.run.listener import bind
from bigviz.server.run.unix_socket import UnixSocket

if TYPE_CHECKING:
    from bigviz.server.run.options import Options

__all__ = ["Bound"]


@dataclass(frozen=True)
class Bound:
    """Sockets, and the port that they have, 0 at a unix socket."""

    sockets: Sequence[socket.socket]
    port: int
    unix: UnixSocket | None = None

    @classmethod
    def of(cls, options: Options) -> Bound:
        """Take the unix socket, or the port. Raises BadInput where another server has it."""
        if options.unix_socket is None:
            sockets, port = bind(options.port, options.address)
            return cls(sockets, port)
        unix = UnixSocket(options.unix_socket)
        return cls([unix.socket], 0, unix)

    def remove(self) -> None:
        """Take the path of a unix socket away."""
        if self.unix is not None:
            self.unix.remove()

    def close(self) -> None:
        """Listen no more."""
        self.remove()
        for each in self.sockets:
            each.close()
