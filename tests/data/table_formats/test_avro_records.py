"""Records as pyiceberg reads them, and those that say more than they hold: these are errors, soon."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyiceberg.avro.file import AvroFile
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import ManifestFile

from bigviz.common.errors import Unreadable
from bigviz.data.open import open as open_source
from bigviz.data.table_formats.avro_container import blocks_of
from bigviz.data.table_formats.avro_records import Record, record_reader

from .avro import container, long, texts


def field(number: int, kind: Any) -> dict[str, Any]:
    return {"name": f"f{number}", "type": kind, "field-id": number}


def record(*kinds: Any, name: str = "r") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [field(at, kind) for at, kind in enumerate(kinds)]}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, "element-id": 99}


def read(schema: Any, block: bytes, count: int = 1) -> list[Record]:
    return list(record_reader(json.dumps(schema).encode())(count, block))


def test_all_types():
    inner = record("long", "null", name="inner")
    schema = record(
        "null", "boolean", "int", "float", "double", "bytes", "string", ["null", "long"], {"type": "fixed", "size": 3,
        "name": "three"}, array(inner), {"type": "map", "values": "null"}, "inner", {"type": {"type": "long"}},
        {"type": "enum", "name": "e", "symbols": ["a", "b"]}, record(name="empty"), "three",
    )  # fmt: skip
    start = b"\x01" + long(-5) + bytes(12) + texts("ab", "ü")
    behind = b"abc" + long(2) + long(7) * 2 + long(0) + long(1) + texts("k") + long(0) + long(9) + long(-70) + long(1)
    first, second = start + long(0) + behind + b"xyz", start + long(1) + long(1 << 40) + behind + b"xyz"
    found = read(schema, first + second, 2)
    shown = {2: -5, 6: "ü", 11: {0: 9}, 12: -70, 13: 1}
    for each, seven in zip(found, (None, 1 << 40), strict=True):
        assert {number: value for number, value in each.items() if value is not None} == {
            **shown, **({7: seven} if seven else {})
        }  # fmt: skip


def test_lists_that_say_how_long_they_are():
    schema = record(array("long"), "long")
    assert read(schema, long(-3) + long(9) + b"\xff" * 9 + long(0) + long(4))[0][1] == 4


GOOD = record("string", "long")
BAD: list[tuple[Any, bytes]] = [
    (GOOD, long(1 << 40) + b"a"),
    (GOOD, long(-1) + long(0)),
    (GOOD, texts("a")),
    (GOOD, texts("a") + b"\xff" * 10 + b"\0"),
    (GOOD, texts("a") + long(1) + b"\0"),
    (GOOD, b"\x02\xff" + long(1)),
    (record("bytes", "bytes"), long(1 << 62) + long(-(1 << 62))),
    (record({"type": "fixed", "size": 9, "name": "f"}), bytes(8)),
    (record({"type": "fixed", "size": -9, "name": "f"}), bytes(8)),
    (record(array("long")), long(1 << 60) + long(1)),
    (record(array("long")), long(-1) + long(1 << 50)),
    (record(array("long")), long(-1) + long(-9)),
    (record(array("null")), long(1 << 60) + long(0)),
    (record(array(record("null", record(name="a")))), long(1 << 60) + long(0)),
    (record(array({"type": "fixed", "size": 0, "name": "f"})), long(1 << 60) + long(0)),
    (record(["null", "long"]), long(2)),
    (record(["null", "long"]), long(-1)),
    (record("null"), b"\0"),
    (record("r"), b"\0"),
    (record("unheard of"), b"\0"),
    ("long", long(1)),
    ({"type": "record", "name": "r"}, b"\0"),
    (None, b"\0"),
]


@pytest.mark.parametrize(("schema", "block"), BAD, ids=range(len(BAD)))
def test_what_is_damaged(schema: Any, block: bytes):
    with pytest.raises(ValueError):
        read(schema, block)


@pytest.mark.parametrize("schema", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_no_schema(schema: bytes):
    with pytest.raises(ValueError):
        record_reader(schema)


@pytest.fixture
def manifests(tmp_path: Path) -> tuple[Path, list[ManifestFile], Path]:
    """Those of a table, and where the list and the first of them are."""
    catalog = SqlCatalog("ours", uri="sqlite:///:memory:", warehouse=f"file://{tmp_path}/lake")
    catalog.create_namespace("n")
    rows = pa.table({"x": [1.0, 2.0], "name": ["a", None], "n": pa.array([1, 2], pa.int32())})
    table = catalog.create_table("n.t", rows.schema)
    for _ in range(3):
        table.append(rows)
    found = table.current_snapshot().manifests(table.io)  # type: ignore[union-attr]
    catalog.close()
    path = Path(table.current_snapshot().manifest_list.removeprefix("file://"))  # type: ignore[union-attr]
    return path, found, Path(found[0].manifest_path.removeprefix("file://"))


class _Given:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def open(self, seekable: bool = True) -> io.BytesIO:
        return io.BytesIO(self._data)


def test_manifests_are_read_as_pyiceberg_reads_them(manifests: tuple[Path, list[ManifestFile], Path]):
    for path in (manifests[0], manifests[2]):
        data = path.read_bytes()
        schema, blocks = blocks_of(data, "t")
        found = [each for block in blocks for each in record_reader(schema)(*block)]
        with AvroFile[Any](_Given(data)) as file:  # type: ignore[arg-type]
            numbers = [each.field_id for each in file.schema.fields]
            theirs = [dict(zip(numbers, each._data, strict=True)) for each in file]
        assert len(found) == len(theirs) > 0
        for ours, each in zip(found, theirs, strict=True):
            for number, value in ours.items():
                if isinstance(value, int | str):
                    assert value == each[number] or (number, value) == (517, each[number].value)
        assert any(isinstance(value, str | dict) for value in found[0].values())


def test_damaged_manifests_are_errors(manifests: tuple[Path, list[ManifestFile], Path]):
    rng = np.random.default_rng(8)
    for path in (manifests[0], manifests[2]):
        schema, blocks = blocks_of(path.read_bytes(), "t")
        reader, outcomes = record_reader(schema), set()
        for count, block in blocks:
            for _ in range(400):
                changed = bytearray(block[: rng.integers(1, len(block) + 1)] if rng.random() < 0.2 else block)
                for at in rng.integers(0, len(changed), rng.integers(1, 4)):
                    changed[at] = rng.integers(0, 256)
                try:
                    outcomes.add(len(list(reader(count, bytes(changed)))) == count)
                except ValueError:
                    outcomes.add(False)
        assert outcomes == {True, False}


def test_a_manifest_that_would_end_the_process(manifests: tuple[Path, list[ManifestFile], Path]):
    """By pyiceberg's own reader: which passes over bytes of before the record."""
    path, _, first = manifests
    assert open_source(path.parent.parent).num_rows == 6
    schema = {"type": "record", "name": "r", "fields": [field(7, "bytes"), field(0, "int")]}
    first.write_bytes(container("null", (1, long(-(1 << 50)) + long(1)), schema=schema))
    with pytest.raises(Unreadable, match="Avro that is cut"):
        open_source(path.parent.parent)
