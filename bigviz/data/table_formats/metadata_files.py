"""Files of the metadata of Iceberg tables, read with bounds: of each one, and of all of a table."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bigviz.common.errors import TooLarge
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import gigabytes, require_memory
from bigviz.data.remote.address import is_remote, shown_source
from bigviz.data.remote.object_file import ObjectFile
from bigviz.data.table_formats.avro_container import MOST_UNPACKED, blocks_of, inflated, require_unpacked
from bigviz.data.table_formats.avro_records import Record, record_reader

__all__ = ["MetadataFiles", "file_at", "read_by", "read_here"]

_MOST: Final = 1 << 28  # bytes of a file as it lies there
_MOST_OF_ALL: Final = 1 << 30  # bytes of all manifests, unpacked
_PARSED: Final = 30  # times as much a text takes once pyiceberg has parsed it, about: 15 to 36
_GZIP: Final = 16 + zlib.MAX_WBITS

Read = Callable[[str], bytes]


@dataclass
class MetadataFiles:
    """The files of one table's metadata: from a location to its bytes, by `read`."""

    read: Read
    _unpacked: int = field(default=0, init=False)

    def records(self, location: str) -> Iterator[Record]:
        """The records of a manifest, or of a list of them. Raises ValueError for what is none, and `TooLarge`."""
        shown = shown_source(location)
        schema, blocks = blocks_of(self.read(location), shown)
        reader = record_reader(schema)
        for count, block in blocks:
            self._unpacked += len(block)
            require_unpacked(self._unpacked, _MOST_OF_ALL, f"The metadata up to {shown}")
            yield from reader(count, block)

    def text(self, location: str) -> str:
        """The text of a metadata file, which may be packed by gzip. Raises `TooLarge`, ValueError and zlib.error."""
        data = self.read(location)
        if data.startswith(b"\x1f\x8b"):
            data = inflated(data, MOST_UNPACKED, _GZIP)
            if len(data) > MOST_UNPACKED:
                raise _too_large(location, MOST_UNPACKED)
        require_memory(_PARSED * len(data), f"{shown_source(location)}, parsed,")
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
