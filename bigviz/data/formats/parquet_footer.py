"""Parquet footers as bytes: read with care, and changed where pyarrow would refuse them whole for one column.

A footer is a struct in Thrift's compact protocol, whose fields 1 and 2 are a version and the schema, a list of elements
in depth-first order: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. Only the schema is taken apart here,
and pyarrow judges what comes of it.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data.arrow_errors import reason_of
from bigviz.data.formats.arrow_schema import without_wide_integers
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import MOST_COLUMNS, MOST_FOOTER

__all__ = [
    "field_header", "list_header", "mended", "metadata_of", "read_footer", "skipped", "unzigzag", "varint",
    "without_arrow_schema",
]  # fmt: skip

_ARROW_SCHEMA: Final = b"\x0cARROW:schema"  # a Thrift text of twelve letters, the key of the Arrow types
_I32, _LIST, _SET, _STRUCT = 5, 9, 10, 12
_LOGICAL: Final = frozenset({6, 7, 8, 10})
"""Fields of an element that say what its numbers or bytes mean: converted type, scale, precision, logical type."""

_CHILDREN = 5
_MOST_REFUSED: Final = 100
_FAILURES = (ValueError, OSError, NotImplementedError, LookupError, TypeError, pa.ArrowException)


class _Field(NamedTuple):
    """A field of a struct: its number and type, and its bytes without the header."""

    number: int
    kind: int
    body: bytes


_Element = list[_Field]


def read_footer(file: StableFile) -> bytes:
    """The footer, which holds every chunk's offset, size and statistics.

    Raises `Unreadable` if the file has no whole footer, `TooLarge` if it declares one beyond 256 MiB.
    """
    with file.open() as handle:
        tail = handle.read_at(8, max(0, file.size - 8))
        if file.size < 12 or tail[4:] not in (b"PAR1", b"PARE"):
            raise Unreadable(
                f"{file.path} is a truncated Parquet file: it ends after {file.size:,} bytes without a footer. "
                "Its writer was stopped or the copy is not complete; write or copy it again.",
                field="source",
                got=file.path,
            )
        size = int.from_bytes(tail[:4], "little")
        if size > file.size - 12:
            raise Unreadable(
                f"{file.path} is damaged: it declares a footer of {size:,} bytes in a file of {file.size:,}.",
                field="source",
                got=file.path,
            )
        if size > MOST_FOOTER:
            raise TooLarge(
                f"{file.path} has a footer of {size:,} bytes; bigviz reads at most {MOST_FOOTER:,}.", got=file.path
            )
        return bytes(handle.read_at(size, file.size - 8 - size))


def metadata_of(footer: bytes) -> pq.FileMetaData:
    """What a footer says: pyarrow takes it apart only at the end of a file."""
    return _opened(footer).metadata


def without_arrow_schema(footer: bytes) -> bytes:
    """The footer without the Arrow types that its writer noted, if it did: Parquet's own types are left."""
    before, key, after = footer.rpartition(_ARROW_SCHEMA)
    return before + key.lower() + after


def mended(footer: bytes) -> tuple[bytes, dict[int, str]] | None:
    """A footer that pyarrow takes in place of one that it refuses, with the columns that are not what they were, by
    position, and why they cannot be used; None if it cannot be mended by changing columns.

    Columns that pyarrow refuses alone lose what says how their bytes are meant. Integers of more than 64 bits, which
    only the Arrow types noted with the schema know of, become bytes there.
    """
    try:
        head, elements, rest = _split(footer)
        columns = _columns(elements)
        reasons = _refused(elements[0], columns, 0, len(columns))
    except (IndexError, ValueError):
        return None
    stripped = [
        [_plain(element) for element in column] if at in reasons else column for at, column in enumerate(columns)
    ]
    plain = head + _encode_schema(elements[0], stripped) + rest
    narrow, wide = _without_wide_integers(plain)
    for candidate, also in ((plain, {}), (narrow, wide)):
        if _refusal(candidate) is None:
            return candidate, {**also, **reasons}
    return None


def _opened(footer: bytes) -> pq.ParquetFile:
    file = b"".join([b"PAR1", footer, len(footer).to_bytes(4, "little"), b"PAR1"])
    return pq.ParquetFile(pa.BufferReader(file))


def _refusal(footer: bytes) -> str | None:
    """Why pyarrow does not take a footer; None if it does."""
    try:
        _ = _opened(footer).schema_arrow
    except _FAILURES as error:
        return reason_of(error)
    return None


def _refused(root: _Element, columns: Sequence[Sequence[_Element]], start: int, stop: int) -> dict[int, str]:
    """The columns from `start` to `stop` that pyarrow does not take, and why, found by halving."""
    probe = b"\x15\x02" + _encode_schema(root, columns[start:stop]) + b"\x16\x00\x19\x0c\x00"  # no rows, no groups
    refusal = _refusal(probe)
    if refusal is None:
        return {}
    if stop - start == 1:
        return {start: f"cannot be read by pyarrow {pa.__version__}: {refusal}"}
    middle = (start + stop) // 2
    refused = {**_refused(root, columns, start, middle), **_refused(root, columns, middle, stop)}
    if len(refused) > _MOST_REFUSED:
        raise ValueError("not a few odd columns, but a damaged schema")
    return refused


def _without_wide_integers(footer: bytes) -> tuple[bytes, dict[int, str]]:
    at = footer.rfind(_ARROW_SCHEMA)
    if at < 0:
        return footer, {}
    try:
        size, start = varint(footer, at + len(_ARROW_SCHEMA) + 1)  # after the header of field 2, the value
        message, wide = without_wide_integers(base64.b64decode(footer[start : start + size]))
    except (IndexError, ValueError, struct.error, binascii.Error):
        return footer, {}
    return footer[:start] + base64.b64encode(message) + footer[start + size :], wide


def _columns(elements: Sequence[_Element]) -> list[Sequence[_Element]]:
    """The elements of each child of the root."""
    columns = []
    at = 1
    while at < len(elements):
        end, missing = at, 1
        while missing:
            missing += _count(elements[end]) - 1
            end += 1
        columns.append(elements[at:end])
        at = end
    return columns


def _count(element: _Element) -> int:
    """How many children an element has."""
    for each in element:
        if each.number == _CHILDREN:
            count = unzigzag(varint(each.body, 0)[0])
            if not 0 <= count <= MOST_COLUMNS:
                raise ValueError(f"an element with {count} children")
            return count
    return 0


def _plain(element: _Element) -> _Element:
    return [each for each in element if each.number not in _LOGICAL]


def _split(footer: bytes) -> tuple[bytes, list[_Element], bytes]:
    """The bytes before the schema (header and all), its elements, and the bytes after it."""
    number, kind, at = field_header(footer, 0, 0)
    if (number, kind) != (1, _I32):
        raise ValueError("no version")
    head = footer[: skipped(footer, at, kind)]
    number, kind, at = field_header(footer, len(head), number)
    if (number, kind) != (2, _LIST):
        raise ValueError("no schema")
    count, kind, at = list_header(footer, at)
    if kind != _STRUCT or not 0 < count <= 4 * MOST_COLUMNS:
        raise ValueError("no schema")
    elements = []
    for _ in range(count):
        element, at = _element(footer, at)
        elements.append(element)
    return head, elements, footer[at:]


def _element(data: bytes, at: int) -> tuple[_Element, int]:
    found: _Element = []
    number = 0
    while data[at]:
        number, kind, at = field_header(data, at, number)
        end = skipped(data, at, kind)
        found.append(_Field(number, kind, data[at:end]))
        at = end
    return found, at + 1


def _encode_schema(root: _Element, columns: Sequence[Sequence[_Element]]) -> bytes:
    """Field 2 of a footer, after field 1."""
    count = _encode_varint(_zigzag(len(columns)))
    root = [each._replace(body=count) if each.number == _CHILDREN else each for each in root]
    elements = [root, *(element for column in columns for element in column)]
    size = len(elements)
    header = bytes([size << 4 | _STRUCT]) if size < 15 else bytes([15 << 4 | _STRUCT]) + _encode_varint(size)
    return bytes([1 << 4 | _LIST]) + header + b"".join(map(_encode_element, elements))


def _encode_element(element: _Element) -> bytes:
    out = bytearray()
    before = 0
    for number, kind, body in element:
        step = number - before
        out += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + _encode_varint(_zigzag(number))
        out += body
        before = number
    return bytes(out) + b"\0"


def field_header(data: bytes, at: int, before: int) -> tuple[int, int, int]:
    """Number and type of the field whose header is at `at`, and where its body begins."""
    step, kind = data[at] >> 4, data[at] & 15
    if step:
        return before + step, kind, at + 1
    number, at = varint(data, at + 1)
    return unzigzag(number), kind, at


def list_header(data: bytes, at: int) -> tuple[int, int, int]:
    count, kind = data[at] >> 4, data[at] & 15
    if count < 15:
        return count, kind, at + 1
    count, after = varint(data, at + 1)
    return count, kind, after


def skipped(data: bytes, at: int, kind: int, depth: int = 0) -> int:
    """Where a value of this type ends. Raises ValueError or IndexError for what is none."""
    if kind in (1, 2):
        return at
    if kind == 3:
        return at + 1
    if kind in (4, 5, 6):
        return varint(data, at)[1]
    if kind == 7:
        return at + 8
    if kind == 8:
        size, at = varint(data, at)
        return at + size
    if depth > 8 or kind not in (_LIST, _SET, _STRUCT):
        raise ValueError("not of a footer")
    if kind != _STRUCT:
        return _skipped_list(data, at, depth)
    number = 0
    while data[at]:
        number, kind, at = field_header(data, at, number)
        at = skipped(data, at, kind, depth + 1)
    return at + 1


def _skipped_list(data: bytes, at: int, depth: int) -> int:
    count, kind, at = list_header(data, at)
    if count > len(data) - at:
        raise ValueError("a list of more than is there")
    if kind in (1, 2):  # truth values, a byte each
        return at + count
    for _ in range(count):
        at = skipped(data, at, kind, depth + 1)
    return at


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while data[at] & 128:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
    return value | data[at] << shift, at + 1


def _encode_varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else -value * 2 - 1


def unzigzag(value: int) -> int:
    return value >> 1 if value % 2 == 0 else -(value + 1 >> 1)
