"""A growing NDJSON file: its whole lines, an object each, are rows; types are those of the first look."""

from __future__ import annotations

import os

from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress
from bigviz.data.columns.arrow_arrays import admit_schema
from bigviz.data.following.growing_file import GrowingFile
from bigviz.data.following.growing_text import AT_ONCE, GrowingText, require_plain
from bigviz.data.following.json_lines import MARK, JsonReader, json_schema
from bigviz.data.formats.sniff import TEXT_SUFFIXES, suffix_of

__all__ = ["GrowingNdjson", "is_ndjson"]


class GrowingNdjson(GrowingText):
    """One file with a JSON object on each line, in UTF-8. A line without its end waits. The types of columns are found
    in the first 64 MiB."""

    def __init__(self, path: str, progress: Progress) -> None:
        """Raises what `StableFile.at` does."""
        super().__init__(path)
        self._progress = progress

    def why_nothing(self) -> str:
        """See `Growing`."""
        return "it holds no whole line with a JSON object yet"

    def _first(self, descriptor: int, size: int, cancel: Cancel) -> int:
        require_plain(descriptor, self._input.path)
        text = os.pread(descriptor, min(size, AT_ONCE), 0)
        text = text[: text.rfind(b"\n") + 1].removeprefix(MARK)
        schema = admit_schema(json_schema(text))
        if not schema.names:
            return 0
        self._reader = JsonReader(schema)
        self._assumed = (f"{self._input.name} was read as NDJSON: an object on each line.",)
        end, before = 0, -1
        while end > before:
            cancel.check()
            before, end = end, self._next(descriptor, end, size)
            self._progress(f"reading {self._input.name}", end / size, self._chunks.num_rows)
        return end


def is_ndjson(file: GrowingFile) -> bool:
    """Whether a file begins with a JSON object, and its name does not say that it is another text."""
    if suffix_of(file.path) in TEXT_SUFFIXES:
        return False
    return file.ends(1 << 12)[0].removeprefix(MARK).lstrip().startswith(b"{")
