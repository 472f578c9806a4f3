"""What a file is, by its bytes rather than by its name."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from bigviz.common.errors import Unreadable
from bigviz.data.formats.delimited.messages import not_utf8
from bigviz.data.formats.delimited.text import PACKED, UTF16
from bigviz.data.formats.stable_file import StableFile

__all__ = ["DATA_SUFFIXES", "TEXT_SUFFIXES", "Format", "format_of", "named", "suffix_of"]

Format = Literal["parquet", "arrow file", "arrow stream", "csv"]

_SUFFIX_FORMATS: dict[str, tuple[Format, ...]] = {
    ".parquet": ("parquet",),
    ".parq": ("parquet",),
    ".pq": ("parquet",),
    ".arrow": ("arrow file", "arrow stream"),
    ".arrows": ("arrow stream",),
    ".feather": ("arrow file",),
    ".ipc": ("arrow file", "arrow stream"),
    ".csv": ("csv",),
    ".tsv": ("csv",),
    ".tab": ("csv",),
    ".psv": ("csv",),
}

DATA_SUFFIXES = frozenset(_SUFFIX_FORMATS)

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".tbl"})
"""Endings of names of delimited text."""

_PACKED_SUFFIXES = frozenset({".gz", ".zst", ".bz2"})

_STRANGERS: tuple[tuple[bytes, str], ...] = (
    (b"PARE", "Parquet with an encrypted footer"),
    (b"FEA1", "Feather version 1"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"\x89HDF", "HDF5 (or NetCDF 4)"),
    (b"CDF", "NetCDF 3"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PK\x03\x04", "a zip archive (or an Excel workbook)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
    (b"{", "JSON"),
    (b"[", "JSON"),
)
_KNOWN = "Parquet, Arrow IPC files and streams, and CSV in UTF-8"


def suffix_of(path: str) -> str:
    """The lower-case ending that says the format: ".csv" for "a.csv" and "a.CSV.gz", "" for none."""
    pure = PurePath(path)
    if pure.suffix.lower() in _PACKED_SUFFIXES:
        pure = pure.with_suffix("")
    return pure.suffix.lower()


def format_of(file: StableFile) -> tuple[Format, str | None]:
    """The format of a file and, if its name promised another, a sentence that says so.

    Raises `Unreadable` for empty and truncated files and for formats that bigviz does not read, with what it seems to
    be.
    """
    if file.size == 0:
        raise Unreadable(f"{file.path} is empty (0 bytes): write it again.", field="source", got=file.path)
    head, tail = file.ends(1 << 16)
    found = _by_magic(file, head, tail)
    if found is None:
        found = _as_text(file, head)
    promised = _SUFFIX_FORMATS.get(suffix_of(file.path))
    if promised is None or found in promised:
        return found, None
    name = PurePath(file.path).name  # viewers may read it: they know of no directories
    return found, f"{name} is named {suffix_of(name)} but holds {named(found)}; it was opened as that."


def _by_magic(file: StableFile, head: bytes, tail: bytes) -> Format | None:
    if suffix_of(file.path) in TEXT_SUFFIXES and _is_text(head):
        return "csv"  # names may begin like another format: "PAR1,PAR2" or "ORC"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "arrow file"
    if head.startswith(b"\xff\xff\xff\xff"):
        return "arrow stream"
    if tail.endswith(b"PAR1"):
        raise Unreadable(
            f"{file.path} ends like Parquet but does not begin like it: its first bytes are {head[:4]!r} "
            "instead of b'PAR1'. It is damaged; write it again.",
            field="source",
            got=file.path,
        )
    if suffix_of(file.path) in TEXT_SUFFIXES and head.startswith((*PACKED, *UTF16)):
        return "csv"
    for magic, name in _STRANGERS:
        if head.startswith(magic):
            advice = (
                "bigviz has no keys: decrypt it first" if magic == b"PARE" else f"bigviz reads {_KNOWN}: convert it"
            )
            raise Unreadable(f"{file.path} is {name}; {advice}.", field="source", got=file.path)
    return None


def _as_text(file: StableFile, head: bytes) -> Format:
    """CSV, if the first lines are cut into equal numbers of cells."""
    named_text = suffix_of(file.path) in TEXT_SUFFIXES
    if _is_text(head):
        lines = head.splitlines()[:5]
        if any(
            len(counts) == 1 and counts.pop() > 0
            for counts in ({line.count(mark) for line in lines} for mark in b",\t;|")
        ):
            return "csv"
    elif named_text and b"\0" not in head:
        raise not_utf8(file.path, _first_strange_line(head))
    elif named_text:
        line = head.count(b"\n", 0, head.index(b"\0")) + 1
        wide = 2 * head.count(b"\0") > len(head) // 2
        advice = "write UTF-16 with a byte order mark" if wide else "write that line again"
        raise Unreadable(
            f"Line {line} of {file.path} holds a NUL byte, which text does not: it is not a format that bigviz reads "
            f"({_KNOWN}). If it is text, {advice}.",
            field="source",
            got=file.path,
        )
    raise Unreadable(
        f"{file.path} begins with {head[:8]!r}, which is not a format that bigviz reads ({_KNOWN}).",
        field="source",
        got=file.path,
    )


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and len(head) == 1 << 16
    return True


def _first_strange_line(head: bytes) -> int:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return head.count(b"\n", 0, error.start) + 1
    return 1


def named(found: Format) -> str:
    """The format in words, as a noun."""
    return {
        "parquet": "Parquet",
        "arrow file": "an Arrow IPC file",
        "arrow stream": "an Arrow IPC stream",
        "csv": "CSV",
    }[found]
