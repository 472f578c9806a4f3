"""Containers in every codec, as pyiceberg packs them, and those that say more than they hold."""

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
from pyiceberg.catalog.sql import SqlCatalog

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data import limits
from bigviz.data.open import open as open_source
from bigviz.data.table_formats import avro_container, metadata_files
from bigviz.data.table_formats.avro_container import blocks_of
from bigviz.data.table_formats.metadata_files import MetadataFiles, read_by, read_here

from .avro import container, long, texts


def packed(codec: str, data: bytes) -> bytes:
    if codec == "snappy":  # raw, and a checksum, for which pyiceberg takes another package
        return bytes(pa.compress(data, "snappy", asbytes=True)) + zlib.crc32(data).to_bytes(4)
    own: Any = KNOWN_CODECS[codec]  # type: ignore[index]
    return data if own is None else bytes(own.compress(data)[0])


def read(data: bytes) -> list[str]:
    return [each[1] for each in MetadataFiles(lambda location: data).records("a.avro")]


def unpacked(data: bytes, most: int = 1 << 29) -> list[tuple[int, bytes]]:
    return list(blocks_of(data, "t", most)[1])


@pytest.mark.parametrize("codec", list(KNOWN_CODECS))
def test_every_codec(codec: str):
    blocks = [("a", "bc" * 900), (), ("", "ü"), ("x" * 70_000,)]
    data = container(codec, *((len(each), packed(codec, texts(*each))) for each in blocks))
    assert unpacked(data) == [(len(each), texts(*each)) for each in blocks]
    assert read(data) == [text for each in blocks for text in each]
    assert unpacked(container(None, (1, texts("a")))) == [(1, texts("a"))]


@pytest.mark.parametrize("codec", list(KNOWN_CODECS))
def test_a_bomb_is_refused(codec: str):
    bomb = container(codec, *[(1, packed(codec, texts("z" * 60_000)))] * 3)
    with pytest.raises(TooLarge, match="which no list of"):
        unpacked(bomb, most=100_000)
    assert len(unpacked(bomb, most=200_000)) == 3


def test_a_table_of_many_bombs_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metadata_files, "_MOST_OF_ALL", 100_000)
    files = MetadataFiles(lambda location: container("null", (1, texts("z" * 30_000))))
    assert [len(list(files.records(f"{at}.avro"))) for at in range(3)] == [1, 1, 1]
    with pytest.raises(TooLarge, match=r"The metadata up to 3\.avro has more than"):
        list(files.records("3.avro"))


def test_no_more_is_unpacked_than_the_limit():
    for data, inflate in (
        (zlib.compress(bytes(1 << 24))[2:-4], avro_container.inflated),
        (bz2.compress(bytes(1 << 24)), avro_container._CODECS[b"bzip2"]),
        (pa.compress(bytes(1 << 24), "zstd", asbytes=True), avro_container._CODECS[b"zstandard"]),
        (b"\xff\xff\xff\xff\x0f" + bytes(99), avro_container._CODECS[b"snappy"]),
    ):
        assert len(inflate(data, 1_000)) == 1_001


GOOD = container("null", (1, texts("a")))


@pytest.mark.parametrize(
    "data",
    [b"", b"Obj\x02" + GOOD[4:], GOOD[:-1], GOOD[:30], GOOD + b"\x02", container("null", (9, texts("a"))),
     container("null", (1 << 40, b"")), container("brotli", (1, b"a")), container("null", (1, b"a"), sync=bytes(16)),
     b"Obj\x01" + b"\xff" * 20, b"Obj\x01\x02" + long(1 << 40)],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_container(data: bytes):
    with pytest.raises(ValueError):
        unpacked(data)


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
    monkeypatch.setattr(metadata_files, "blocks_of", lambda data, what: blocks_of(data, what, 1 << 19))
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


def test_metadata_that_would_take_more_than_the_memory(table: Path, monkeypatch: pytest.MonkeyPatch):
    """A gzip of half a megabyte unpacks to 512 MiB, and these are parsed to some 15 GB."""
    monkeypatch.setattr(limits, "available_memory", lambda: 1 << 20)
    assert open_source(table).num_rows == 2
    monkeypatch.setattr(metadata_files, "_PARSED", 1 << 20)
    with pytest.raises(TooLarge, match=r"metadata.json, parsed, needs .* of memory"):
        open_source(table)


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
