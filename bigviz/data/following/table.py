"""A table whose files are followed: its versions, one after the other."""

from __future__ import annotations

import glob
import logging
import os
import secrets
import time
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BigvizError, Cancelled, NotFound, Unreadable
from bigviz.common.printable import encodable
from bigviz.common.progress import Progress, no_progress
from bigviz.data.appending.growth import Growth
from bigviz.data.dataset import Dataset
from bigviz.data.following.arrow_stream import ArrowStream
from bigviz.data.following.file_set import FileSet
from bigviz.data.following.growing import Growing
from bigviz.data.following.growing_csv import GrowingCsv
from bigviz.data.following.growing_file import GrowingFile
from bigviz.data.following.growing_ndjson import GrowingNdjson, is_ndjson
from bigviz.data.following.growing_text import AT_ONCE
from bigviz.data.following.journal import Journal, Record, folded
from bigviz.data.following.outdated import Outdated
from bigviz.data.following.source import FollowedSource
from bigviz.data.formats.csv import require_csv
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.sniff import format_of, named

__all__ = ["FollowedTable"]

_log = logging.getLogger("bigviz")

_MOST_NOTES: Final = 5  # sentences that viewers can read
_SECONDS_OF_A_WRITE: Final = 0.3  # after which files that were being written may be whole
_SECONDS_OF_A_LOOK: Final = 0.05  # between two at what another process has found
_KINDS: Final = {"files": FileSet, "stream": ArrowStream, "csv": GrowingCsv, "ndjson": GrowingNdjson}


class FollowedTable:
    """A directory or a glob of Parquet and Arrow files to which others are added, an Arrow IPC stream that grows, or a
    CSV or NDJSON that does.

    `open` gives the first version, and each `look` another one if there are new rows: of the same lineage, with the
    rows before at their numbers. Where what was read is not there any more, the files are opened anew: another
    lineage, whose notes say why. Versions only go up. One thread at a time; everything blocks.

    Processes that share a `journal` come to the same versions: one of them looks at the files, and writes down what it
    found before anybody is shown it; the others read just that. If each looked by itself, they would find other rows
    under a number, and files in another order. Whoever looks may end at any moment: the next one has all that was
    shown, and looks on from there. So rows, versions, lineages and fingerprints are the same, whoever is asked.
    """

    def __init__(
        self,
        path: str,
        name: str,
        options: CsvOptions = CsvOptions(),  # noqa: B008
        progress: Progress = no_progress,
        journal: Journal | None = None,
    ) -> None:
        self.path = path
        self.name = encodable(name)
        self._options = options
        self._progress = progress
        self._version = 0
        self._lineage = ""
        self._appends = array("q")  # the first row of each version, and of the next
        self._growing: Growing | None = None
        self._source: FollowedSource | None = None  # of the last version
        self._own: tuple[str, ...] = ()  # what it says of itself
        self._notes: list[str] = []
        self._told: list[str] = []
        self._reason: str | None = None  # why the files have to be opened anew, until they are
        self._began = False  # in the last look
        self._file: Sequence[int] = ()  # how another process has opened it
        self._journal = journal
        self._unwritten: tuple[Record, Dataset | None] | None = None  # what the last look has found
        self._unread: list[Record] = []  # what another process has found, and this one has not taken in
        self.time: float | None = None
        """When the last version was found, in seconds since 1970; None for now."""

    @property
    def looks(self) -> bool:
        """Whether it is this process that looks at the files."""
        return self._journal is None or self._journal.leads

    @property
    def told_of(self) -> int:
        """How much was found by any process: a number that grows. Any thread may ask."""
        return 0 if self._journal is None else self._journal.size

    @property
    def taken(self) -> int:
        """How much of that this process has taken in, by looks that have ended."""
        return 0 if self._journal is None or self._unread else self._journal.position

    @property
    def more(self) -> bool:
        """Whether the last look has left something that is there to be read."""
        return self._growing is not None and self._growing.more

    @property
    def version(self) -> int:
        """The number of the last version; 0 before the first."""
        return self._version

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the last version, which may get more of them."""
        return (*self._own, *self._notes)

    def open(self, cancel: Cancel = NEVER) -> Dataset:
        """The rows that are whole now; waits a moment for files that are being written, and for another process that
        opens them. Raises what `bigviz.open` does, and NotFound where there is nothing to begin with."""
        while self._journal is not None:
            found = self._replayed(cancel)
            if found is not None:
                return found
            if self._journal.lead() and self._journal.size == self._journal.position:
                break
            cancel.check()
            time.sleep(_SECONDS_OF_A_LOOK)
        try:
            dataset = self._started(cancel)
        except Outdated as error:
            raise Unreadable(f"{error.reason} while it was opened: start again.", "follow", self.path) from error
        if self._journal is not None:
            self._reason = None
            self._journal.write(self._found(dataset, self._told))
        return dataset

    def look(self, cancel: Cancel = NEVER) -> Dataset | None:
        """A new version; None where nothing has come. What cannot be read is told, and does not keep other rows from
        coming. Raises Cancelled, and what the disk raises."""
        journal = self._journal
        if journal is None:
            return self._look(cancel)
        if not journal.leads or self._unread:
            journal.lead()  # and read what the one before has written
            found = self._replayed(cancel)
            if found is not None or not journal.leads:
                return found
        if self._unwritten is None:
            before = len(self._told)
            dataset = self._look(cancel)
            self._unwritten = self._found(dataset, self._told[before:]), dataset
        record, dataset = self._unwritten
        if len(record) > 1:
            journal.write(record)  # before anybody is shown it
        self._unwritten = None
        return dataset

    def _look(self, cancel: Cancel) -> Dataset | None:
        """`look`, at the files."""
        self._began, self.time = False, None
        if self._reason is not None or self._growing is None:
            return self._opened_anew(cancel)
        try:
            source = self._growing.look(cancel)
        except Outdated as outdated:
            return self._opened_anew(cancel, outdated.reason)
        self._tell(self._growing.take_told())
        return None if source is None else self._dataset(source)

    # --- for other processes -----------------------------------------------------------------------------------------

    def _found(self, dataset: Dataset | None, told: Sequence[str]) -> Record:
        """What the last look has found, as the journal has it; the time alone for nothing."""
        growing, found = self._growing, Record(time=time.time())
        if told:
            found["told"] = list(told)
        if growing is not None and growing.seen is not None and (self._began or self._reason is None):
            found |= {"seen": growing.seen}
        if dataset is not None:
            found |= {"version": dataset.version, "rows": dataset.num_rows}
        if self._began and growing is not None:
            kind = next(kind for kind, each in _KINDS.items() if isinstance(growing, each))
            found["began"] = {"kind": kind, "lineage": self._lineage, "file": list(growing.opened_as)}
        return found

    def _replayed(self, cancel: Cancel) -> Dataset | None:
        """The version that other processes have come to, if it is another one. Raises what reading their rows does."""
        assert self._journal is not None
        self._unread = folded([*self._unread, *self._journal.read()], AT_ONCE)
        source: FollowedSource | None = None
        while self._unread:
            found = self._replay(self._unread[0], cancel)
            record = self._unread.pop(0)
            if "version" in record:
                if source is not None:  # nobody here needs that version
                    self._appends.append(source.num_rows)
                self._appends.extend(record.get("passed", ()))
                self._version, source, self.time = record["version"], found, record["time"]
        if source is None:
            return None
        self._version -= 1  # as `_dataset` counts it
        return self._dataset(source)

    def _replay(self, record: Mapping[str, Any], cancel: Cancel) -> FollowedSource | None:
        """What a look gave; None also where its files are gone, after which there is nothing until they are opened
        anew."""
        began, source = record.get("began"), None
        try:
            if began is not None:
                self._growing = self._made(began["kind"], os.path.expanduser(self.path))
                self._lineage, self._file = began["lineage"], began["file"]
                self._appends, self._notes, self._reason = array("q", [0]), [], None
            if "seen" in record and self._reason is None and self._growing is not None:
                source = self._growing.replay(record["seen"], self._file, cancel)
                self._growing.take_told()  # it is told in other words where it is read in other pieces
        except Outdated as outdated:
            self._reason = outdated.reason
        except NotFound as error:
            self._reason = error.message.rstrip(".")
        self._note(record.get("told", ()))
        return source

    def take_told(self) -> list[str]:
        """Sentences for the operator since this was called last; viewers can read the last of them in the notes."""
        told, self._told = self._told, []
        return told

    def _started(self, cancel: Cancel, notes: Sequence[str] = ()) -> Dataset:
        growing = self._begun()
        source = growing.look(cancel)
        if source is None:
            time.sleep(_SECONDS_OF_A_WRITE)
            source = growing.look(cancel)
        if source is None:
            where, why = echoed(self.path, 200), growing.why_nothing()
            raise NotFound(f"There is nothing to follow at {where} yet: {why}.", "follow", self.path)
        self._growing, self._lineage, self._notes = growing, secrets.token_hex(16), []
        self._began = True
        self._appends = array("q", [0])
        self._tell([*notes, *growing.take_told()])
        return self._dataset(source)

    def _opened_anew(self, cancel: Cancel, reason: str | None = None) -> Dataset | None:
        """The first version of another lineage; None, and what was read is kept, while the files cannot be opened."""
        why = reason or self._reason or "it could not be opened"
        when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        try:
            dataset = self._started(cancel, [f"{why}: the table was opened anew, {when}."])
        except Cancelled:
            raise
        except (BigvizError, Outdated) as error:
            if self._reason is None:
                because = error.reason if isinstance(error, Outdated) else error.message.rstrip(".")
                _log.warning("%s: %s", self.name, because)
                self._tell([f"{why}. The rows that were read are still shown, until there is something to open anew."])
            self._reason = why
            return None
        self._reason = None
        return dataset

    def _tell(self, sentences: Sequence[str]) -> None:
        self._told += sentences
        self._note(sentences)

    def _note(self, sentences: Sequence[str]) -> None:
        self._notes = [*self._notes, *sentences][-_MOST_NOTES:]
        if self._source is not None and sentences:
            self._source.notes = self.notes

    def _begun(self) -> Growing:
        path = os.path.expanduser(self.path)
        kind, what = self._kind(path)
        if kind != "csv":
            require_csv(self._options, what)
        return self._made(kind, path)

    def _kind(self, path: str) -> tuple[str, str]:
        """What a path is, as `_KINDS` name it, and in words."""
        if os.path.isdir(path) or (glob.has_magic(path) and not os.path.lexists(path)):
            return "files", "a directory that is followed"
        file = GrowingFile.at(path)  # it may be written to at this moment
        if is_ndjson(file):
            return "ndjson", f"{path}, which is NDJSON"
        found = format_of(file)[0]
        return {"csv": "csv", "arrow stream": "stream"}.get(found, "files"), f"{path}, which is {named(found)}"

    def _made(self, kind: str, path: str) -> Growing:
        if kind == "csv":
            return GrowingCsv(path, self._options, self._progress)
        if kind == "ndjson":
            return GrowingNdjson(path, self._progress)
        return ArrowStream(path) if kind == "stream" else self._files(path)

    def _files(self, path: str) -> FileSet:
        """The files of a path. A new one with other columns, for which the table is opened anew, has not to wait until
        it is old, and to be found anew until then."""
        return FileSet(path, self._growing.whole if isinstance(self._growing, FileSet) else {})

    def _dataset(self, source: FollowedSource) -> Dataset:
        self._version += 1
        self._source, self._own = source, source.own_notes
        source.growth, source.notes = Growth(self._lineage, appends=self._appends[:]), self.notes
        self._appends.append(source.num_rows)
        made = Dataset(self.name, source)
        made.version = self._version
        return made
