"""A delimited text as UTF-8 in an open descriptor: unpacked, decoded, with one kind of line end where it must be."""

from __future__ import annotations

import codecs
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Final

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import TooLarge
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import gigabytes

__all__ = [
    "PACKED",
    "UTF16",
    "CsvText",
    "Work",
    "csv_text",
    "first_line_end",
    "has_mixed_line_ends",
    "one_line_end",
    "physical_line",
    "spooled",
    "without_comments",
]

PACKED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
"""The first bytes of files that a compressor wrote, and pyarrow's name for it."""

UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_BLOCK: Final = 1 << 22
_CR, _LF = b"\r\n"


@dataclass(frozen=True)
class Work:
    """What reading one file needs: its path, for messages, a callback for progress, and a flag that cancels it.

    `advance(verb, done, rows)` takes `done` from 0 to 1 within a verb ("unpacking", "reading"). Copies of the text may
    have `most` bytes.
    """

    path: str
    most: int
    advance: Callable[[str, float, int], None]
    cancel: Cancel


@dataclass(frozen=True)
class CsvText:
    """Text in UTF-8 that stays as it is while it is open: `descriptor` is the checked file's, or an unnamed copy's.

    `path` opens the same file again and holds no character that a reader could take for a pattern; `origin` is what
    the text was made from, in words ("gzip", "UTF-16"), None if it is the file itself.
    """

    descriptor: int
    size: int
    origin: str | None = None

    @property
    def path(self) -> str:
        return f"/dev/fd/{self.descriptor}"

    def head(self, size: int = 1 << 16) -> bytes:
        """The first bytes, without a byte order mark."""
        return os.pread(self.descriptor, size, 0).removeprefix(codecs.BOM_UTF8)

    def blocks(self) -> Iterator[bytes]:
        """All bytes, a few megabytes at a time."""
        at = 0
        while block := os.pread(self.descriptor, _BLOCK, at):
            at += len(block)
            yield block


@contextmanager
def csv_text(file: StableFile, work: Work, held: CsvText | None = None) -> Iterator[CsvText]:
    """The file's text for as long as the block runs; `held` is the file's if it is open already.

    Packed files (gzip, zstd, bzip2) and UTF-16 with a byte order mark are copied into an unnamed temporary file.
    Raises `TooLarge` where the copy would be too large: a few kilobytes can unpack to any size.
    """
    with ExitStack() as copies:
        text = held or CsvText(copies.enter_context(file.descriptor()), file.size)
        head = os.pread(text.descriptor, 4, 0)
        packed = next((name for magic, name in PACKED.items() if head.startswith(magic)), None)
        if packed is not None:
            text = copies.enter_context(spooled(_unpacked(text, packed, work), packed, work))
        encoding = UTF16.get(os.pread(text.descriptor, 2, 0))
        if encoding is not None:
            text = copies.enter_context(spooled(_recoded(text, encoding, work), "UTF-16", work))
        yield text


@contextmanager
def one_line_end(text: CsvText, quote: str, work: Work) -> Iterator[CsvText]:
    """The same text with every line end outside of quoted cells written as one line feed."""
    blocks = _with_line_feeds(text.blocks(), quote.encode())
    with spooled(blocks, text.origin, work) as copy:
        yield copy


@contextmanager
def without_comments(text: CsvText, comment: str, quote: str, work: Work) -> Iterator[CsvText]:
    """The same text with empty lines for those that begin with `comment`, perhaps after spaces; not in quoted cells."""
    blocks = _without_comments(text.blocks(), comment.encode(), quote.encode())
    with spooled(blocks, text.origin, work) as copy:
        yield copy


def _unpacked(text: CsvText, packed: str, work: Work) -> Iterator[bytes]:
    with pa.PythonFile(_at_start(text.descriptor), mode="r") as raw:
        stream = pa.CompressedInputStream(raw, packed)
        while block := stream.read(_BLOCK):
            work.advance("unpacking", min(1.0, raw.tell() / max(1, text.size)), 0)
            yield block


def _recoded(text: CsvText, encoding: str, work: Work) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    for block in text.blocks():
        done += len(block)
        work.advance("decoding", min(1.0, done / text.size), 0)
        yield decoder.decode(block).removeprefix("\ufeff").encode()
    yield decoder.decode(b"", True).encode()


@contextmanager
def spooled(blocks: Iterator[bytes], origin: str | None, work: Work) -> Iterator[CsvText]:
    """The bytes in a file without a name, gone when the block ends or the process does."""
    with tempfile.TemporaryFile(prefix="bigviz-") as copy:
        size = 0
        for block in blocks:
            work.cancel.check()
            size += len(block)
            if size > work.most:
                raise TooLarge(
                    f"{work.path} unpacks to more than {gigabytes(work.most)}, half of the memory that is free. "
                    "Convert it to Parquet, which is read a column at a time.",
                    got=work.path,
                )
            _write(copy, block, work.path)
        yield CsvText(copy.fileno(), size, origin)


def _write(copy: IO[bytes], block: bytes, path: str) -> None:
    try:
        copy.write(block)
        copy.flush()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise TooLarge(
            f"{path} has to be copied to be read, and {tempfile.gettempdir()} has no room for it. "
            "Set TMPDIR to a directory that has, or convert it to Parquet.",
            got=path,
        ) from error


def _at_start(descriptor: int) -> IO[bytes]:
    return os.fdopen(os.open(f"/dev/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC), "rb")


def _with_line_feeds(blocks: Iterator[bytes], quote: bytes) -> Iterator[bytes]:
    quoted = 0
    rest = b""
    for block in blocks:
        block = rest + block
        rest = block[-1:] if block.endswith(b"\r") else b""  # a line feed may follow in the next block
        values = np.frombuffer(block[: len(block) - len(rest)], np.uint8)
        inside = _inside(values, quote, quoted)
        quoted = int(inside[-1]) if len(inside) else quoted
        ends = (values == _CR) & (inside == 0)
        followed = np.append(values[1:] == _LF, False)
        out = np.where(ends, np.uint8(_LF), values)
        yield out[~(ends & followed)].tobytes()
    yield rest if quoted else rest.replace(b"\r", b"\n")


def _without_comments(blocks: Iterator[bytes], comment: bytes, quote: bytes) -> Iterator[bytes]:
    quoted = False
    rest = b""
    for block in blocks:
        lines = (rest + block).splitlines(keepends=True)
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        out = []
        for line in lines:
            if not quoted and line.lstrip().startswith(comment):
                out.append(line[len(line.rstrip(b"\r\n")) :])
                continue
            out.append(line)
            quoted ^= bool(quote) and line.count(quote) % 2 == 1
        yield b"".join(out)
    yield b"" if not quoted and rest.lstrip().startswith(comment) else rest


def _inside(values: np.ndarray, quote: bytes, before: int) -> np.ndarray:
    """1 where a byte lies within a quoted cell: an odd number of quotes has come, as a doubled quote counts twice."""
    if len(quote) != 1:
        return np.full(len(values), 0, np.uint8)
    return ((np.cumsum(values == quote[0], dtype=np.int64) + before) & 1).astype(np.uint8)


def first_line_end(text: CsvText) -> str | None:
    """The first line end that is not within double quotes; None if there is none in the first 64 KiB."""
    head = text.head()
    values = np.frombuffer(head, np.uint8)
    ends = np.flatnonzero(((values == _LF) | (values == _CR)) & (_inside(values, b'"', 0) == 0))
    if len(ends) == 0:
        return None
    at = int(ends[0])
    return head[at : at + (2 if head[at : at + 2] == b"\r\n" else 1)].decode()


def has_mixed_line_ends(text: CsvText) -> bool:
    """Whether lines end in more than one way, within quotes or not."""
    for block in text.blocks():
        pairs = block.count(b"\r\n")
        if (pairs > 0) + (block.count(b"\n") > pairs) + (block.count(b"\r") > pairs) > 1:
            return True
    return False


def physical_line(text: CsvText, quote: str, record: int) -> tuple[int, int]:
    """The line, from 1 on, and the byte at which a record (from 1 on too) begins: cells may hold line ends."""
    quoted = lines = at = 0
    left = record - 1
    for block in text.blocks() if left else ():
        values = np.frombuffer(block, np.uint8)
        inside = _inside(values, quote.encode(), quoted)
        quoted = int(inside[-1])
        feeds = values == (_LF if _LF in block else _CR)
        ends = np.flatnonzero(feeds & (inside == 0))
        if len(ends) >= left:
            end = int(ends[left - 1]) + 1
            return lines + int(np.count_nonzero(feeds[:end])) + 1, at + end
        left -= len(ends)
        lines += int(np.count_nonzero(feeds))
        at += len(block)
    return lines + 1, at
