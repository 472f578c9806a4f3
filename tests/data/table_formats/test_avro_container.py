"""Containers as pyiceberg writes them, in every codec, and those that say more than they hold."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.avro.codecs import KNOWN_CODECS
from pyiceberg.avro.file import AvroFile
from pyiceberg.catalog.sql import SqlCatalog

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data.open import open as open_source
from bigviz.data.table_formats import avro_container, metadata_files
from bigviz.data.table_formats.avro_container import _long, _map, unpacked
from bigviz.data.table_formats.metadata_files import MetadataFiles, read_by, read_here

SYNC = bytes(range(16))
SCHEMA = b'{"type": "record", "name": "r", "fields": [{"name": "a", "type": "string", "field-id": 1}]}'


def container(codec: str | None, *blocks: tuple[int, bytes], sync: bytes = SYNC) -> bytes:
    header = {b"avro.schema": SCHEMA, **({} if codec is None else {b"avro.codec": codec.encode()})}
    parts = [_long(count) + _long(len(data)) + data + sync for count, data in blocks]
    return b"Obj\x01" + _map(header) + SYNC + b"".join(parts)


def records(*texts: str) -> bytes:
    return b"".join(_long(len(text.encode())) + text.encode() for text in texts)


def packed(codec: str, data: bytes) -> bytes:
    if codec == "snappy":  # raw, and a checksum, for which pyiceberg takes another package
        return bytes(pa.compress(data, "snappy", asbytes=True)) + zlib.crc32(data).to_bytes(4)
    own: Any = KNOWN_CODECS[codec]  # type: ignore[index]
    return data if own is None else bytes(own.compress(data)[0])


def read(data: bytes) -> list[str]:
    files = MetadataFiles(lambda location: data)
    with AvroFile[Any](files.new_input("a.avro")) as found:  # type: ignore[arg-type]
        return [each[0] for each in found]


@pytest.mark.parametrize("codec", list(KNOWN_CODECS))
def test_pyiceberg_reads_the_same_of_every_codec(codec: str):
    blocks = [("a", "bc" * 900), ("", "ü"), ("x" * 70_000,)]
    data = container(codec, *((len(each), packed(codec, records(*each))) for each in blocks))
    assert read(data) == [text for each in blocks for text in each]
    assert unpacked(data, "t") == container("null", *((len(each), records(*each)) for each in blocks))
    assert unpacked(container(None, (1, records("a"))), "t") == container("null", (1, records("a")))


@pytest.mark.parametrize("codec", list(KNOWN_CODECS))
def test_a_bomb_is_refused(codec: str):
    bomb = container(codec, *[(1, packed(codec, records("z" * 60_000)))] * 3)
    with pytest.raises(TooLarge, match="which no list of"):
        unpacked(bomb, "t", most=100_000)
    assert len(unpacked(bomb, "t", most=200_000)) > 180_000


def test_no_more_is_unpacked_than_the_limit():
    for data, inflate in (
        (zlib.compress(bytes(1 << 24))[2:-4], avro_container.inflated),
        (bz2.compress(bytes(1 << 24)), avro_container._CODECS[b"bzip2"]),
        (pa.compress(bytes(1 << 24), "zstd", asbytes=True), avro_container._CODECS[b"zstandard"]),
        (b"\xff\xff\xff\xff\x0f" + bytes(99), avro_container._CODECS[b"snappy"]),
    ):
        assert len(inflate(data, 1_000)) == 1_001


GOOD = container("null", (1, records("a")))


@pytest.mark.parametrize(
    "data",
    [b"", b"Obj\x02" + GOOD[4:], GOOD[:-1], GOOD[:30], GOOD + b"\x02", container("null", (9, records("a"))),
     container("null", (1 << 40, b"")), container("brotli", (1, b"a")), container("null", (1, b"a"), sync=bytes(16)),
     b"Obj\x01" + b"\xff" * 20, b"Obj\x01\x02" + _long(1 << 40)],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_container(data: bytes):
    with pytest.raises(ValueError):
        unpacked(data, "t")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    catalog = SqlCatalog("ours", uri="sqlite:///:memory:", warehouse=f"file://{tmp_path}/lake")
    catalog.create_namespace("n")
    rows = pa.table({"x": [1.0, 2.0]})
    catalog.create_table("n.t", rows.schema).append(rows)
    catalog.close()
    return tmp_path / "lake" / "n" / "t"


def bomb(data: bytes) -> bytes:
    return container("deflate", (1, packed("deflate", bytes(1 << 20))))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(("damaged", "error"), [(bomb, TooLarge), (cut, Unreadable)])
@pytest.mark.parametrize("which", ["snap-*.avro", "[!s]*-m0.avro"])
def test_manifests_of_a_table(
    table: Path, monkeypatch: pytest.MonkeyPatch, which: str, damaged: Callable[[bytes], bytes], error: type[Exception]
):
    assert open_source(table).num_rows == 2
    monkeypatch.setattr(metadata_files, "unpacked", lambda data, what: unpacked(data, what, 1 << 19))
    (manifest,) = (table / "metadata").glob(which)
    manifest.write_bytes(damaged(manifest.read_bytes()))
    with pytest.raises(error):
        open_source(table)


def test_metadata_that_is_packed(table: Path, monkeypatch: pytest.MonkeyPatch):
    newest = max((table / "metadata").glob("*.metadata.json"))
    gz = newest.with_name("00009-a.gz.metadata.json")
    gz.write_bytes(gzip.compress(newest.read_bytes()))
    assert open_source(table).num_rows == open_source(gz).num_rows == 2
    monkeypatch.setattr(metadata_files, "MOST_UNPACKED", 100)
    with pytest.raises(TooLarge, match="which no metadata needs"):
        open_source(gz)


def test_files_of_any_length_are_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metadata_files, "_MOST", 9)
    (tmp_path / "a").write_bytes(bytes(10))
    (tmp_path / "b").write_bytes(bytes(9))

    class Theirs:
        def new_input(self, location: str) -> Any:
            return self

        def open(self, seekable: bool) -> Any:
            return io.BytesIO(bytes(1 << 20))

    for reads in (lambda: read_here(str(tmp_path / "a")), lambda: read_by(Theirs(), "a")):
        with pytest.raises(TooLarge):
            reads()
    assert read_here(str(tmp_path / "b")) == bytes(9)
