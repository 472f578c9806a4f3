"""What this machine lets a server and its viewers have, and what the server takes of it, as the kernel tells."""

from __future__ import annotations

import os
import re
import resource
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from bench.memory import anonymous

__all__ = ["LOCAL", "Process", "raise_file_limit", "sources"]

LOCAL: Final = "127.0.0.1"
_PER_SOURCE: Final = 150  # viewers of one address: the server takes 200
_BLOCK: Final = 250  # addresses of 127.0.x.1 to 127.0.x.250
_TICK: Final = os.sysconf("SC_CLK_TCK")
_KEPT: Final = re.compile(r'^bigviz_memory_bytes\{what="\w+"\} (\S+)$', re.MULTILINE)
_TASKS: Final = re.compile(r"^bigviz_tasks (\S+)$", re.MULTILINE)


def raise_file_limit() -> int:
    """Let this process, and those it starts, have as many files open as they may; returns how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def sources(viewers: int, first: int = 0) -> list[str]:
    """Loopback addresses for so many viewers, leaving out the `first` ones, so that none has more than it may."""
    count = -(-viewers // _PER_SOURCE)
    return [f"127.0.{number // _BLOCK}.{number % _BLOCK + 1}" for number in range(first, first + count)]


class Process:
    """A server's process, from outside, and its `/metrics`."""

    def __init__(self, pid: int, url: str) -> None:
        self.pid = pid
        self._metrics = f"{url.split('/')[0]}//{url.split('/')[2]}/metrics"

    def cpu(self) -> float:
        """Seconds of processor time so far, of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def memory(self) -> int:
        """Bytes of anonymous memory."""
        return anonymous(self.pid)

    def descriptors(self) -> int:
        """Open files and sockets."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def tasks(self) -> int:
        """Tasks of its event loop while it answers this request."""
        found = _TASKS.search(self._told())
        if found is None:
            raise ValueError("/metrics does not say how many tasks there are")
        return int(float(found[1]))

    def closed(self, code: int) -> int:
        """Connections that it has closed with a code."""
        found = re.search(rf'^bigviz_websocket_closed_total{{code="{code}"}} (\S+)$', self._told(), re.MULTILINE)
        return int(float(found[1])) if found else 0

    def kept(self) -> int:
        """Bytes of what it keeps on purpose, by its own account: columns, indexes, tiles and answers."""
        return sum(int(float(size)) for size in _KEPT.findall(self._told()))

    def unkept(self) -> int:
        """Bytes of anonymous memory beside these."""
        return self.memory() - self.kept()

    def _told(self) -> str:
        with urlopen(self._metrics) as answer:
            told: str = answer.read().decode()
            return told
