"""What the records of an append log add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from xxhash import xxh64_intdigest

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data.appending.keys import Receipt
from bigviz.data.appending.log_file import LogFile, damaged
from bigviz.data.appending.records import APPEND, MERGED, NO_KEY, PATCH, ROLL, SEAL, Record
from bigviz.data.appending.refusals import NoSuchRow
from bigviz.data.appending.rollover import Clock, Window
from bigviz.data.appending.rule import Rule
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.gone.rolled import Rolled
from bigviz.data.log_files.merged import MergedAppends
from bigviz.data.patches.corrections import Corrections, Patch

__all__ = ["LogState"]

MOST_CORRECTED = 64 << 20
"""Bytes of the values that patches have put in the place of others: they are kept in memory."""


class LogState:
    """Grows record by record, in the same way whether one is written or read again. Not thread-safe."""

    def __init__(self, first_file: LogFile, rolled: Rolled, rule: Rule, upload: tuple[int, int]) -> None:
        """`upload`: rows and bytes of what was uploaded before the log began."""
        head = first_file.head
        self.version, self.next, self.sealed = head.version, head.first, False
        self.total = rolled.total
        self.clock = replace(rolled.clock)
        self.corrections: Corrections = rolled.corrections
        told = rolled.corrections.told
        self._corrected = told[-1].version if told else 0  # what came up to then is there already
        self.gone, self.filed = rolled.gone, head.first  # of rows before `filed`, whose files were removed
        self.keys = rolled.keys.copy()
        self.window = Window(rule, head.first if head.number else 0, *upload)
        self._begun: dict[int, tuple[int, Clock]] = {}  # by the numbers of files, before their first records

    @property
    def first_row(self) -> int:
        """The number of the first row that is there."""
        return self.window.first_row

    @property
    def first_corrected(self) -> int:
        """The number of the first row whose corrections are kept: rows of the log count by the values they had last,
        once their file is removed, unless there are so many corrections that those of
        rolled-over rows have to go."""
        return min(self.first_row, self.filed)

    def expires(self, now_ns: int) -> bool:
        """Whether rows are too old at a time. Rows of an upload are as old as the first record, so without one, there
        has to be one."""
        return self.window.expires(self.clock.at(now_ns)) or (self.window.ages and self.clock.last is None)

    def begin(self, file: LogFile) -> None:
        """What comes next is in another file."""
        self._begun[file.head.number] = self.total, replace(self.clock)
        self.window.begin(file.batches)
        self.window.advance(self.next, self.clock.now)

    def replay(self, file: LogFile) -> None:
        """The records of a file that was found. Raises Unreadable."""
        self.begin(file)
        self.go_on(file)

    def go_on(self, file: LogFile) -> None:
        """The records that were found in the last file since. Raises Unreadable."""
        for at, record in file.records:
            if record.kind == MERGED:
                self._apply_merged(file, at, record, file.merged(at, record))
                continue
            patch = None
            if record.kind == PATCH:
                payload = file.payload(at, record)
                if xxh64_intdigest(payload) != record.payload_sum:
                    raise damaged(file.path, at)
                patch = Patch.read(payload)
            self.apply(file, at, record, patch)
        file.records.clear()

    def apply(self, file: LogFile, at: int, record: Record, patch: Patch | None) -> None:
        """A record that lies at a position of the last file."""
        if record.kind not in (APPEND, SEAL, PATCH, ROLL):
            raise Unreadable("An append log was written by a newer bigviz: update bigviz.", "library", record.kind)
        self.version, self.next = record.version, record.next
        self.total = record.added_to(self.total)
        clock = self.clock.tell(record.time_ns)
        if record.kind == APPEND and record.rows:
            file.batches.add(at, record, clock)
            self.window.added()
        if patch is not None and record.version > self._corrected:
            self.corrections = self.corrections.patched(record.version, patch, self.first_corrected)
        if record.kind == SEAL:
            self.sealed = True
        else:
            self.window.advance(self.next, clock)
        if record.key != NO_KEY:
            receipt = Receipt(record.version, record.first, record.rows, record.fsynced)
            self.keys.add(record.key, record.body, receipt, record.time_ns)

    def _apply_merged(self, file: LogFile, at: int, record: Record, merged: MergedAppends) -> None:
        """Appends that were merged: what they add up to does not depend on that."""
        self.version, self.next, self.total = record.version, record.next, merged.total
        before = len(file.batches)
        file.batches.add_merged(at, record, merged, self.clock.tell_all(merged.times))
        self.window.added(len(file.batches) - before)
        self.window.advance(self.next, self.clock.now)
        firsts = record.first + merged.rows.cumsum() - merged.rows
        told = (merged.versions, firsts, merged.rows, merged.fsynced, merged.times)
        columns = [each[merged.keyed].tolist() for each in told]
        for place, (*receipt, time_ns) in enumerate(zip(*columns, strict=True)):
            self.keys.add(*merged.digests_of(place), Receipt(*receipt), time_ns)

    def before(self, file: LogFile) -> tuple[int, Clock]:
        """The sum of all heads, and the clock, before the first record of a file."""
        total, clock = self._begun[file.head.number]
        return total, replace(clock)

    def replaced(self, old: LogFile, new: LogFile) -> None:
        """A file was written anew, with the same appends."""
        self.window.replaced(old.batches, new.batches)

    def check_patch(self, patch: Patch, next_row: int, before: int) -> None:
        """Raise NoSuchRow for a patch of a row that is not there, and TooLarge for one that is too much after patches
        of `before` bytes that are written with it."""
        for row in patch.rows[:1].tolist() + patch.rows[-1:].tolist():
            if not self.first_row <= row < next_row:
                there = f"{self.first_row:,} to {next_row - 1:,}" if next_row > self.first_row else "none"
                raise NoSuchRow(f"There is no row {row:,}: the rows of the dataset are {there}.", "_row", row)
        size = before + patch.nbytes
        if self.corrections.nbytes + size > MOST_CORRECTED:
            self.corrections = self.corrections.joined(self.first_row)
            if self.corrections.nbytes + size > MOST_CORRECTED:
                raise TooLarge(
                    f"The values that patches have changed may take {MOST_CORRECTED >> 20} MiB, and these are more: "
                    "upload the dataset anew with them.",
                    "body",
                )

    def rolled(self, left: LogFile, gone: Mapping[str, Magnitudes]) -> Rolled:
        """What has to be known where the files before one are removed, and all numbers of their rows and those before
        are `gone`."""
        number = left.head.number
        total, clock = self._begun[number]
        corrections = self.corrections.joined(min(self.first_row, left.head.first))
        return Rolled(number, total, clock, self.keys.copy(), corrections, gone)

    def removed(self, left: LogFile, gone: Mapping[str, Magnitudes]) -> None:
        """The files before one are no more."""
        self.filed, self.gone = left.head.first, gone
        self._begun = {each: begun for each, begun in self._begun.items() if each >= left.head.number}
