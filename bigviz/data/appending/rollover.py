"""Which rows of a stream are still there: the last ones by number, bytes or age."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bigviz.data.appending.batches import Batches
from bigviz.data.appending.records import HEAD
from bigviz.data.appending.rule import Rule

__all__ = ["Clock", "Window"]

_LEAST_FILE: Final = 8 << 20
_MOST_FILE: Final = 64 << 20  # when it is removed, appends wait while its numbers are looked at: some 0.3 s
_FILES: Final = 8  # at least, that what is there is in: what is rolled over leaves the disk a file at a time


@dataclass
class Clock:
    """Nanoseconds since the first record of a log, as its times tell: while the server's clock is set back, this one
    stands still, and goes on from there."""

    now: int = 0
    last: int | None = None

    def tell(self, time_ns: int) -> int:
        """Go on to a time of the server."""
        self.now = self.at(time_ns)
        self.last = time_ns
        return self.now

    def tell_all(self, times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Go on to one time after the other: what it shows at each."""
        if not len(times_ns):
            return times_ns
        before = np.append(times_ns[0] if self.last is None else self.last, times_ns[:-1])
        shown: npt.NDArray[np.int64] = self.now + np.maximum(times_ns - before, 0).cumsum()
        self.now, self.last = int(shown[-1]), int(times_ns[-1])
        return shown

    def at(self, time_ns: int) -> int:
        """What it will show at a time of the server."""
        return self.now + max(0, time_ns - (time_ns if self.last is None else self.last))


class Window:
    """The rows that are there, from `first_row` on. `nbytes`: of the appends that have some of them. Not thread-safe.

    The rows of the upload count as one append, of the bytes of its file, and of the time of the first record.
    """

    def __init__(self, rule: Rule, first_row: int, upload_rows: int, upload_bytes: int) -> None:
        self.rule = rule
        self.first_row = first_row
        self._files: deque[Batches] = deque()
        self._at = 0  # of the oldest append that is there, in the first of the files
        self._upload = (upload_rows, upload_bytes) if first_row < upload_rows else (0, 0)
        self.nbytes = self._upload[1]

    def begin(self, file: Batches) -> None:
        """What comes is in another file."""
        self._files.append(file)

    def added(self, count: int = 1) -> None:
        """Some appends with rows have come to the last file."""
        last = self._files[-1]
        self.nbytes += sum(last.nbytes[len(last) - count :]) + count * HEAD

    def replaced(self, old: Batches, new: Batches) -> None:
        """A file was written anew, with the same appends."""
        self._files = deque(new if each is old else each for each in self._files)

    def advance(self, next_row: int, clock: int) -> None:
        """Roll over what the rule keeps no more, now that `next_row` rows have come."""
        rule = self.rule
        if not rule:
            return
        if rule.rows is not None:
            self.first_row = max(self.first_row, next_row - rule.rows)
        while (oldest := self._oldest()) is not None:
            stop, nbytes, time = oldest
            expired = rule.age_ns is not None and clock - time > rule.age_ns
            large = rule.nbytes is not None and self.nbytes > rule.nbytes and stop < next_row
            if stop > self.first_row and not expired and not large:
                return
            self.first_row = max(self.first_row, stop)
            self.nbytes -= nbytes
            self._step()

    def expires(self, clock: int) -> bool:
        """Whether rows will be too old at a time."""
        oldest, age = self._oldest(), self.rule.age_ns
        return oldest is not None and age is not None and clock - oldest[2] > age

    @property
    def ages(self) -> bool:
        """Whether there are rows that will be too old some time."""
        return self.rule.age_ns is not None and self._oldest() is not None

    def file_bytes(self, most: int) -> int:
        """How long a file of the log may be."""
        return min(most, _MOST_FILE, max(_LEAST_FILE, self.nbytes // _FILES)) if self.rule else most

    def _oldest(self) -> tuple[int, int, int] | None:
        """The row after the oldest append that is there, its bytes, and the clock when it came."""
        rows, nbytes = self._upload
        if rows:
            return rows, nbytes, 0
        while len(self._files) > 1 and self._at == len(self._files[0]):
            self._files.popleft()
            self._at = 0
        if not self._files or self._at == len(self._files[0]):
            return None
        file = self._files[0]
        return file.stop(self._at), file.whole(self._at), file.clock[self._at]

    def _step(self) -> None:
        if self._upload[0]:
            self._upload = 0, 0
        else:
            self._at += 1
