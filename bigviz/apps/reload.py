"""Noticing that one of the files that a script was run from has changed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable
from typing import Final

__all__ = ["Watch"]

_SECONDS: Final = 0.1  # a look costs some microseconds a file
Stamp = tuple[int, int] | None


class Watch:
    """The files whose change calls for another run of a script, each with its time of change and size (None: no file).

    Make it before the first run: whatever is saved while the script runs counts as a change, even in files that become
    known only by the run.
    """

    def __init__(self, path: str, seconds: float = _SECONDS) -> None:
        self.path = os.path.abspath(path)
        self._seconds = seconds
        self._began = time.time_ns()
        self._stamps = {self.path: _stamp(self.path)}

    def cover(self, files: Iterable[str]) -> None:
        """Watch the script and these files from now on; files that were watched before keep their stamps."""
        known = self._stamps
        self._stamps = {file: known[file] if file in known else self._first(file) for file in (self.path, *files)}

    async def changed(self) -> None:
        """Return when a file has changed; one that vanishes does not count as changed, one that comes back does."""
        while not self._differs():
            await asyncio.sleep(self._seconds)

    def _first(self, file: str) -> Stamp:
        """The stamp of a file that the run made known; None if it was saved after the run began, which may have read it
        before."""
        stamp = _stamp(file)
        return None if stamp is not None and stamp[0] > self._began else stamp

    def _differs(self) -> bool:
        # An editor that writes aside and renames leaves a moment without the file.
        began = time.time_ns()
        now = {file: stamp for file in self._stamps if (stamp := _stamp(file)) is not None}
        differs = any(self._stamps[file] != stamp for file, stamp in now.items())
        self._stamps |= now
        if differs:
            self._began = began
        return differs


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
