"""One of the processes behind a port, and what it shares with the others."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bigviz.server.processes.bound import Bound
from bigviz.server.processes.shared_counts import SharedCounts

__all__ = ["WRITER", "FrontEnd"]

WRITER: Final = 0
"""The number of the process that writes streams."""


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """The process of a `number`, from 0, among `count`. `bound` is where all of them listen; `inner` are the sockets,
    one of each process, at which it listens to the others, and which outlast it. `epoch` is the same for all: pages
    that come from another process go on. `lifeline` is readable once the process that started this one has ended.
    `is_again`: another process had this number before."""

    number: int
    count: int
    bound: Bound
    inner: Sequence[socket.socket]
    counts: SharedCounts
    epoch: int
    lifeline: int
    is_again: bool = False

    @property
    def writes(self) -> bool:
        """Whether it is the one that writes streams, takes uploads, and cleans up."""
        return self.number == WRITER

    @property
    def speaks(self) -> bool:
        """Whether it tells the operator what all of them have to tell: where they are and what is open."""
        return self.writes and not self.is_again

    @property
    def folder(self) -> Path:
        """Where these sockets are, and files that the processes have together."""
        return Path(self.place_of(WRITER)).parent

    def place(self, name: str) -> Path:
        """A directory there, of that name, which is made where there is none."""
        found = self.folder / name
        found.mkdir(mode=0o700, exist_ok=True)
        return found

    def place_of(self, number: int) -> str:
        """The path at which a process listens to the others."""
        return str(self.inner[number].getsockname())
