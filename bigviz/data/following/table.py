"""A table whose files are followed: its versions, one after the other."""

from __future__ import annotations

import glob
import logging
import os
import secrets
import time
from array import array
from collections.abc import Sequence
from typing import Final

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
from bigviz.data.following.outdated import Outdated
from bigviz.data.following.source import FollowedSource
from bigviz.data.formats.csv import require_csv
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.sniff import format_of, named

__all__ = ["FollowedTable"]

_log = logging.getLogger("bigviz")

_MOST_NOTES: Final = 5  # sentences that viewers can read
_SECONDS_OF_A_WRITE: Final = 0.3  # after which files that were being written may be whole


class FollowedTable:
    """A directory or a glob of Parquet and Arrow files to which others are added, an Arrow IPC stream that grows, or a
    CSV or NDJSON that does.

    `open` gives the first version, and each `look` another one if there are new rows: of the same lineage, with the
    rows before at their numbers. Where what was read is not there any more, the files are opened anew: another
    lineage, whose notes say why. Versions only go up. One thread at a time; everything blocks.
    """

    def __init__(
        self,
        path: str,
        name: str,
        options: CsvOptions = CsvOptions(),  # noqa: B008
        progress: Progress = no_progress,
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
        """The rows that are whole now; waits a moment for files that are being written. Raises what `bigviz.open` does,
        and NotFound where there is nothing to begin with."""
        try:
            return self._started(cancel)
        except Outdated as error:
            raise Unreadable(f"{error.reason} while it was opened: start again.", "follow", self.path) from error

    def look(self, cancel: Cancel = NEVER) -> Dataset | None:
        """A new version; None where nothing has come. What cannot be read is told, and does not keep other rows from
        coming. Raises Cancelled, and what the disk raises."""
        if self._reason is not None or self._growing is None:
            return self._opened_anew(cancel)
        try:
            source = self._growing.look(cancel)
        except Outdated as outdated:
            return self._opened_anew(cancel, outdated.reason)
        self._tell(self._growing.take_told())
        return None if source is None else self._dataset(source)

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
        self._notes = [*self._notes, *sentences][-_MOST_NOTES:]
        if self._source is not None and sentences:
            self._source.notes = self.notes

    def _begun(self) -> Growing:
        path = os.path.expanduser(self.path)
        if os.path.isdir(path) or (glob.has_magic(path) and not os.path.lexists(path)):
            require_csv(self._options, "a directory that is followed")
            return self._files(path)
        file = GrowingFile.at(path)  # it may be written to at this moment
        if is_ndjson(file):
            require_csv(self._options, f"{path}, which is NDJSON")
            return GrowingNdjson(path, self._progress)
        found = format_of(file)[0]
        if found == "csv":
            return GrowingCsv(path, self._options, self._progress)
        require_csv(self._options, f"{path}, which is {named(found)}")
        return ArrowStream(path) if found == "arrow stream" else self._files(path)

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
