"""Text behind a descriptor: unpacked, decoded, with one kind of line end; lines are found again in it."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled, TooLarge
from bigviz.data.formats.delimited import text as module
from bigviz.data.formats.delimited.text import (
    CsvText,
    Work,
    csv_text,
    first_line_end,
    has_mixed_line_ends,
    one_line_end,
    physical_line,
    without_comments,
)
from bigviz.data.formats.stable_file import StableFile

WORK = Work("t.csv", 1 << 30, lambda *_: None, NEVER)


@contextmanager
def opened(path: Path, data: bytes) -> Iterator[CsvText]:
    path.write_bytes(data)
    with csv_text(StableFile.at(str(path)), WORK) as text:
        yield text


def bytes_of(text: CsvText) -> bytes:
    return b"".join(text.blocks())


@pytest.fixture(params=[1, 2, 3, 7, 1 << 22])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Blocks of few bytes, so that everything lies across their borders."""
    monkeypatch.setattr(module, "_BLOCK", request.param)
    return int(request.param)


def test_the_file_itself(tmp_path: Path) -> None:
    with opened(tmp_path / "t.csv", b"x,y\n1,2\n") as text:
        assert text.origin is None and bytes_of(text) == b"x,y\n1,2\n"
        assert os.path.samefile(text.path, tmp_path / "t.csv")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_decoded(tmp_path: Path, block: int, encoding: str) -> None:
    words = "x,s\n1,Köln 𝄞\n"
    with opened(tmp_path / "t.csv", ("\ufeff" + words).encode(encoding)) as text:
        assert text.origin == "UTF-16" and bytes_of(text) == words.encode()


def test_unpacked_and_decoded(tmp_path: Path) -> None:
    with opened(tmp_path / "t.csv.gz", gzip.compress("\ufeffx,y\n1,2\n".encode("utf-16-le"))) as text:
        assert bytes_of(text) == b"x,y\n1,2\n"


def test_copies_are_bounded_and_nameless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spool))
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n" + b"1,2\n" * 100_000))
    with csv_text(StableFile.at(str(path)), WORK) as text:
        assert text.size == 400_004 and list(spool.iterdir()) == []
    with (
        pytest.raises(TooLarge, match="unpacks to more than"),
        csv_text(StableFile.at(str(path)), Work("t", 1000, WORK.advance, NEVER)),
    ):
        pass
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled), csv_text(StableFile.at(str(path)), Work("t", 1 << 30, WORK.advance, cancel)):
        pass


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\r\nb\nc\rd", b"a\nb\nc\nd"),
        (b'a,"b\r\nc"\r\nd', b'a,"b\r\nc"\nd'),
        (b'a,"b""\r"\r', b'a,"b""\r"\n'),
        (b"a\r\r\n\n", b"a\n\n\n"),
        (b'"\r', b'"\r'),
        (b"", b""),
    ],
)
def test_one_line_end(tmp_path: Path, block: int, data: bytes, expected: bytes) -> None:
    with opened(tmp_path / "t.csv", data) as text, one_line_end(text, '"', WORK) as copy:
        assert bytes_of(copy) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"# a\nx,y\n#b,c\n1,#2\n", b"\nx,y\n\n1,#2\n"),
        (b'x,"\n# no comment\n"\n# one\n', b'x,"\n# no comment\n"\n\n'),
        (b"# it's 5\" long\nx\n# b", b"\nx\n"),
        (b"x\r\n# a\r\ny\r\n", b"x\r\n\r\ny\r\n"),
    ],
)
def test_comments_become_empty_lines(tmp_path: Path, block: int, data: bytes, expected: bytes) -> None:
    with opened(tmp_path / "t.csv", data) as text, without_comments(text, "#", '"', WORK) as copy:
        assert bytes_of(copy) == expected


@pytest.mark.parametrize(
    ("data", "end", "several"),
    [
        (b"x,y\n1,2\n", "\n", False),
        (b"x,y\r\n1,2\r\n", "\r\n", False),
        (b"x,y\r1,2\r", "\r", False),
        (b'"x\r\n",y\n1,2\n', "\n", True),
        (b"x,y", None, False),
    ],
)
def test_line_ends(tmp_path: Path, data: bytes, end: str | None, several: bool) -> None:
    with opened(tmp_path / "t.csv", data) as text:
        assert first_line_end(text) == end and has_mixed_line_ends(text) is several


def test_the_line_of_a_record(tmp_path: Path, block: int) -> None:
    """As counted by hand: records of one to three lines, with doubled quotes among them."""
    chance = random.Random(4)
    data, starts, line = b"", [], 1
    for _ in range(50):
        starts.append((line, len(data)))
        inner = chance.choice(["", "a", "a\nb", 'say ""a\nb""\nc'])
        record = f'1,"{inner}"\n'.encode()
        data += record
        line += record.count(b"\n")
    with opened(tmp_path / "t.csv", data) as text:
        for number, start in enumerate(starts, 1):
            assert physical_line(text, '"', number) == start
