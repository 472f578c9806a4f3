"""Delta tables: the rows that deltalake itself gives, and those tables that are more than their files."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.open import open as open_source
from bigviz.data.table_formats import delta

ROWS = 300


def vector(*deleted: int) -> dict[str, object]:
    """A deletion vector in the log: a bitmap (Roaring, one container) after a magic number, in Z85."""
    head = struct.pack("<IQIIIHHI", 1681511377, 1, 0, 12346, 1, 0, len(deleted) - 1, 16)
    data = head + struct.pack(f"<{len(deleted)}H", *deleted)
    padded = data + bytes(-len(data) % 4)
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    words = struct.unpack(f">{len(padded) // 4}I", padded)
    text = "".join(digits[word // 85**power % 85] for word in words for power in (4, 3, 2, 1, 0))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(data), "cardinality": len(deleted)}


def table(start: int = 0) -> pa.Table:
    rng = np.random.default_rng(start)
    return pa.table({
        "id": np.arange(start, start + ROWS), "x": rng.random(ROWS),
        "code": pa.array(rng.choice(["007", "ü/ b", None], ROWS)),
        "day": pa.array(rng.integers(0, 3, ROWS).astype(np.int32), pa.int32()).cast(pa.date32()),
    })  # fmt: skip


@pytest.fixture
def changed(tmp_path: Path) -> str:
    """A table in several versions, whose directory has files that do not count any more."""
    path = str(tmp_path / "trips")
    write_deltalake(path, table(), partition_by=["code", "day"])
    write_deltalake(path, table(ROWS), mode="append")
    DeltaTable(path).delete("id >= 10 and id < 350")
    return path


def rows(path: str) -> dict[int, list[object]]:
    found = open_source(path)
    columns = [found.column(name) for name in ("id", "x", "code", "day")]
    told: dict[int, list[object]] = {}
    for at in range(found.num_rows):
        values = [
            None if c.valid is not None and not c.valid[at]
            else c.categories[c.values[at]] if c.categories is not None else c.values[at].item()
            for c in columns
        ]  # fmt: skip
        told[int(values[0])] = values  # type: ignore[arg-type]
    assert len(told) == found.num_rows
    return told


def expected(path: str) -> dict[int, list[object]]:
    found = DeltaTable(path).to_pyarrow_table().select(["id", "x", "code", "day"])
    day = found.column("day").cast(pa.int32()).to_pylist()
    told = found.set_column(3, "day", [[each * 86_400 * 10**9 for each in day]]).to_pylist()
    return {each["id"]: list(each.values()) for each in told}


def test_the_rows_of_the_newest_version(changed: str):
    assert rows(changed) == expected(changed) and len(expected(changed)) == 2 * ROWS - 340
    opened = open_source(changed)
    assert opened.name == "trips" and "Version 2 of a Delta table." in opened.notes
    assert str(opened.schema.field("day").type) == "date32[day]" and opened.info("code").kind == "category"
    stale = open_source(f"{changed}/**/*.parquet")
    assert stale.num_rows > opened.num_rows  # as they asked for files, they get them


def test_a_table_without_partitions_and_one_without_rows(tmp_path: Path):
    path = str(tmp_path / "plain")
    write_deltalake(path, table())
    assert rows(path) == expected(path)
    DeltaTable(path).delete()
    with pytest.raises(NotFound, match="has no rows in its version 1"):
        open_source(path)


def _commit(path: str, version: int, *actions: object) -> None:
    log = Path(path) / delta.LOG / f"{version:020}.json"
    log.write_text("\n".join(map(json.dumps, actions)))


def _actions(path: str) -> list[dict[str, dict[str, object]]]:
    return [json.loads(line) for line in (Path(path) / delta.LOG / f"{0:020}.json").read_text().splitlines()]


def test_deletion_vectors_are_refused(tmp_path: Path):
    path = str(tmp_path / "t")
    write_deltalake(path, table(), configuration={"delta.enableDeletionVectors": "true"})
    assert sorted(rows(path)) == list(range(ROWS))
    (add,) = [each["add"] for each in _actions(path) if "add" in each]
    removed = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
    _commit(path, 1, {"remove": removed}, {"add": add | {"deletionVector": vector(3, 4, 7)}})
    with pytest.raises(Unreadable, match=r"has deletion vectors.*REORG TABLE"):
        open_source(path)


def test_mapped_columns_and_unknown_features_are_refused(tmp_path: Path):
    for number, (feature, more, words) in enumerate(
        [
            ("columnMapping", {"delta.columnMapping.mode": "name"}, "column mapping"),
            ("someDay", {}, "cannot be read|someDay"),
        ]
    ):
        path = str(tmp_path / f"t{number}")
        write_deltalake(path, table())
        actions = _actions(path)
        for each in actions:
            if "protocol" in each:
                features = {"readerFeatures": [feature], "writerFeatures": [feature]}
                each["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7, **features}
            if "metaData" in each:
                each["metaData"]["configuration"] = more
                schema = json.loads(str(each["metaData"]["schemaString"]))
                for number_of, column in enumerate(schema["fields"]):
                    column["metadata"] = {
                        "delta.columnMapping.id": number_of,
                        "delta.columnMapping.physicalName": column["name"],
                    }
                each["metaData"]["schemaString"] = json.dumps(schema)
        _commit(path, 0, *actions)
        with pytest.raises(Unreadable, match=words):
            open_source(path)


def test_a_damaged_log(changed: str):
    (Path(changed) / delta.LOG / f"{1:020}.json").write_text("{")
    with pytest.raises(Unreadable, match="The log of the Delta table"):
        open_source(changed)


def test_without_the_package(changed: str, monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(delta, "import_module", missing)
    with pytest.raises(BadInput, match=r"pip install 'bigviz\[delta\]'"):
        open_source(changed)
    with pytest.raises(BadInput):
        open_source([changed, changed])
