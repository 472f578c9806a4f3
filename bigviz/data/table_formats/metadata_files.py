"""Files of metadata for pyiceberg: read by bigviz, with its bounds, and unpacked as far as they allow."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bigviz.common.errors import TooLarge
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import gigabytes
from bigviz.data.remote.address import is_remote, shown_source
from bigviz.data.remote.object_file import ObjectFile
from bigviz.data.table_formats.avro_container import MOST_UNPACKED, inflated, unpacked

__all__ = ["MetadataFiles", "file_at", "read_by", "read_here"]

_MOST: Final = 1 << 28  # bytes of a file as it lies there
_GZIP: Final = 16 + zlib.MAX_WBITS

Read = Callable[[str], bytes]


@dataclass(frozen=True)
class MetadataFiles:
    """What pyiceberg takes for a file system: from a location to its bytes, by `read`. It writes nothing."""

    read: Read

    def new_input(self, location: str) -> _Input:
        """A file of it."""
        return _Input(location, self.read)


@dataclass(frozen=True)
class _Input:
    location: str
    read: Read

    def open(self, seekable: bool = True) -> io.BytesIO:
        """All of a manifest, or of a list of them, without compression. Raises what `unpacked` does."""
        return io.BytesIO(unpacked(self.read(self.location), shown_source(self.location)))

    def text(self) -> str:
        """The text of a metadata file, which may be packed by gzip. Raises `TooLarge`, ValueError and zlib.error."""
        data = self.read(self.location)
        if data.startswith(b"\x1f\x8b"):
            data = inflated(data, MOST_UNPACKED, _GZIP)
            if len(data) > MOST_UNPACKED:
                raise _too_large(self.location, MOST_UNPACKED)
        return data.decode("utf-8")


def file_at(path: str) -> StableFile:
    """The file at a path or an address."""
    return ObjectFile.at(path) if is_remote(path) else StableFile.at(path)


def read_here(location: str) -> bytes:
    """A file at a path or an address, as bigviz reads others. Raises `TooLarge`, and what opening it does."""
    file = file_at(location)
    if file.size > _MOST:
        raise _too_large(location, _MOST)
    with file.open(lambda: [(0, file.size)]) as handle:
        return bytes(handle.read())


def read_by(files: Any, location: str) -> bytes:
    """A file that a catalog knows how to read. Raises `TooLarge`, and what its reader does."""
    with files.new_input(location).open(seekable=False) as stream:
        data = bytes(stream.read(_MOST + 1))
    if len(data) > _MOST:
        raise _too_large(location, _MOST)
    return data


def _too_large(location: str, most: int) -> TooLarge:
    shown = shown_source(location)
    return TooLarge(f"{shown} has more than {gigabytes(most)}, which no metadata needs.", "source", shown)
