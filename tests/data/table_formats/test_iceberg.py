"""Iceberg tables: the rows that pyiceberg itself gives, and those tables that are more than their files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyiceberg.catalog
import pyiceberg.io
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import (
    DataFileContent,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.table import Table
from pyiceberg.types import DoubleType, LongType
from pyiceberg.utils.config import Config

from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.dataset import Dataset
from bigviz.data.formats.parquet import ParquetPart
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.open import open as open_source
from bigviz.data.table_formats import iceberg
from bigviz.data.table_formats.by_field_id import ColumnsById, TableColumn

ROWS = 200


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    found = SqlCatalog("ours", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/lake")
    found.create_namespace("n")
    yield found
    found.close()


def rows(start: int = 0) -> pa.Table:
    rng = np.random.default_rng(start)
    return pa.table({
        "id": pa.array(np.arange(start, start + ROWS), pa.int32()), "x": rng.random(ROWS),
        "code": pa.array(rng.choice(["007", "ü/ b", None], ROWS)),
    })  # fmt: skip


def made(catalog: SqlCatalog, *tables: pa.Table, name: str = "n.t") -> Table:
    table = catalog.create_table(name, tables[0].schema)
    for each in tables:
        table.append(each)
    return table


def metadata(table: Table) -> Path:
    return Path(table.metadata_location.removeprefix("file://"))


def same(found: Dataset, table: Table) -> None:
    """The rows that pyiceberg gives, in the same order."""
    expected = open_source(table.scan().to_arrow())
    assert found.schema.names == expected.schema.names and found.num_rows == expected.num_rows
    for name in expected.schema.names:
        one, other = found.column(name), expected.column(name)
        np.testing.assert_array_equal(one.values, other.values)
        assert one.categories == other.categories


def test_a_table_a_metadata_file_and_a_catalog(catalog: SqlCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table = made(catalog, rows(), rows(ROWS))
    table.overwrite(rows(5 * ROWS).slice(0, 9), "id < 200")  # what is replaced still lies beside the others
    folder = metadata(table).parent.parent
    found = open_source(folder)
    assert found.name == "t" and found.num_rows == ROWS + 9
    assert found.notes == (f"Snapshot {table.current_snapshot().snapshot_id} of an Iceberg table.",)
    same(found, table)
    same(open_source(metadata(table)), table)
    monkeypatch.setenv("PYICEBERG_CATALOG__OURS__URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setattr(pyiceberg.catalog, "_ENV_CONFIG", Config())
    same(open_source("iceberg://ours/n.t"), table)
    with pytest.raises(Unreadable, match="cannot be read by pyiceberg"):
        open_source("iceberg://ours/n.nothing")


def test_each_snapshot_has_its_rows_and_its_fingerprint(catalog: SqlCatalog):
    table = made(catalog, rows())
    first = metadata(table)
    before = open_source(first)
    table.append(rows(ROWS))
    after = open_source(metadata(table))
    assert (before.num_rows, after.num_rows) == (ROWS, 2 * ROWS)
    assert open_source(first).fingerprint == before.fingerprint != after.fingerprint
    with table.update_schema() as update:
        update.add_column("more", DoubleType())
    assert open_source(metadata(table)).fingerprint != after.fingerprint


def test_columns_are_those_of_the_table_now(catalog: SqlCatalog):
    """Renamed, moved, added, dropped, widened; and one that has the name of another that was dropped."""
    table = made(catalog, rows())
    with table.update_schema() as update:
        update.rename_column("x", "y")
        update.delete_column("code")
        update.add_column("w", DoubleType())
        update.update_column("id", LongType())
    with table.update_schema() as update:
        update.move_first("y")
        update.add_column("code", LongType())
        update.add_column("x", DoubleType())
    same(open_source(metadata(table)), table)
    more = rows(ROWS)
    table.append(pa.table({
        "y": more["x"], "id": more["id"].cast(pa.int64()), "w": more["x"],
        "code": more["id"].cast(pa.int64()), "x": more["x"],
    }))  # fmt: skip
    found = open_source(metadata(table))
    assert found.info("code").kind != "category"
    same(found, table)


def test_nested_columns_whose_inner_names_changed_are_refused(catalog: SqlCatalog):
    table = made(catalog, pa.table({"x": [1.0], "at": pa.array([{"a": 1.0, "b": 2.0}])}))
    assert open_source(metadata(table)).num_rows == 1
    with table.update_schema() as update:
        update.rename_column("at.a", "c")
    with pytest.raises(Unreadable, match="other inner columns"):
        open_source(metadata(table))


def test_what_a_file_lacks(tmp_path: Path):
    """Null, unless the table says what it holds there."""
    pq.write_table(
        pa.table([[1.0, 2.0]], schema=pa.schema([pa.field("a", pa.float64(), metadata={"PARQUET:field_id": "4"})])),
        tmp_path / "a.parquet",
    )
    part = ParquetPart(StableFile.at(str(tmp_path / "a.parquet")))
    named = TableColumn(4, pa.field("b", pa.float64()))
    found = ColumnsById(part, [TableColumn(5, pa.field("a", pa.int64())), named])
    assert [pa.concat_arrays(found.arrays(at, part.pieces[0])).to_pylist() for at in (0, 1)] == [[None] * 2, [1, 2]]
    assert found.statistics(0, part.pieces[0]) is None and found.statistics(1, part.pieces[0]) is not None
    with pytest.raises(Unreadable, match="lacks column 'a', which holds the value of its partition"):
        ColumnsById(part, [TableColumn(5, pa.field("a", pa.int64()), "the value of its partition"), named])


def test_files_without_field_ids_are_refused(catalog: SqlCatalog):
    table = catalog.create_table("n.t", rows().schema)
    file = metadata(table).parent.parent / "a.parquet"
    pq.write_table(rows(), file)
    table.add_files([f"file://{file}"])
    with pytest.raises(Unreadable, match="has no field ids"):
        open_source(metadata(table))


class _DeleteManifest(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


@pytest.mark.parametrize("content", [DataFileContent.POSITION_DELETES, DataFileContent.EQUALITY_DELETES])
def test_delete_files_are_refused(catalog: SqlCatalog, content: DataFileContent):
    table = made(catalog, rows())
    snapshot, io, folder = table.current_snapshot(), table.io, metadata(table).parent
    manifests = snapshot.manifests(io)
    file = manifests[0].fetch_manifest_entry(io)[0].data_file
    file._data[0] = content  # of what it says nothing else is looked at
    output = io.new_output(f"file://{folder}/deletes.avro")
    with _DeleteManifest(table.spec(), table.schema(), output, snapshot.snapshot_id, "null") as writer:
        entry = ManifestEntry.from_args(
            status=ManifestEntryStatus.ADDED, snapshot_id=snapshot.snapshot_id, sequence_number=2,
            file_sequence_number=2, data_file=file,
        )  # fmt: skip
        writer.add_entry(entry)
    deletes = writer.to_manifest_file()
    output = io.new_output(f"file://{folder}/list.avro")
    with write_manifest_list(2, output, snapshot.snapshot_id, None, 2, "null") as writer:
        writer.add_manifests([*manifests, deletes])
    told = json.loads(metadata(table).read_text())
    told["snapshots"][-1]["manifest-list"] = f"file://{folder}/list.avro"
    changed = folder / "00009-other.metadata.json"
    changed.write_text(json.dumps(told))
    with pytest.raises(Unreadable, match="has delete files"):
        open_source(changed)


def test_a_directory_that_may_not_be_listed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "metadata").mkdir()
    assert not iceberg.is_iceberg(str(tmp_path)) and not iceberg.is_iceberg("a\0b")

    def refuse(path: str) -> list[str]:
        raise PermissionError(path)

    monkeypatch.setattr("os.listdir", refuse)
    assert not iceberg.is_iceberg(str(tmp_path))


def test_which_metadata_file_is_the_newest():
    names = ["00002-a.metadata.json", "00010-b.metadata.json", "snap-1.avro", "version-hint.text", "x.metadata.json"]
    assert iceberg.newest_metadata(names, "t") == "00010-b.metadata.json"
    assert iceberg.newest_metadata(["v9.metadata.json", "v10.metadata.json"], "t") == "v10.metadata.json"
    with pytest.raises(Unreadable, match=r"has 00010-b\.metadata\.json and 00010-c"):
        iceberg.newest_metadata([*names, "00010-c.metadata.json"], "t")


@pytest.mark.parametrize(
    ("path", "place"),
    [("file:///home/me/secret.parquet", "s3://b/m"), ("/etc/secret.parquet", "s3://b/m"), ("http://10.0.0.1/a", "/m"),
     ("s3://b/a", "file:///m"), ("gs://b/a", "s3://b/m"), ("a.parquet", "/m")],
)  # fmt: skip
@pytest.mark.parametrize("by_catalog", [False, True])
def test_metadata_names_no_files_in_other_kinds_of_places(path: str, place: str, by_catalog: bool):
    with pytest.raises(Unreadable, match="same kind of place"):
        home(place, by_catalog).path(path)


@pytest.mark.parametrize(
    ("path", "place"),
    [("/data/t2/a.parquet", "/data/t/metadata/m"), ("/data/t/../t2/a.parquet", "/data/t/metadata/m"),
     ("/dev/zero", "/data/t/m"), ("file:///data/t/a.parquet", "/data/t/metadata/metadata/m"),
     ("s3://other/a.parquet", "s3://b/t/metadata/m")],
)  # fmt: skip
def test_metadata_names_no_files_outside_of_the_table(path: str, place: str):
    with pytest.raises(Unreadable, match=r"names (a file|files) .* of a table whose catalog you trust"):
        home(place).path(path)


def test_links_do_not_lead_out_of_a_table(tmp_path: Path):
    (tmp_path / "t").mkdir()
    (tmp_path / "secret.parquet").touch()
    (tmp_path / "t" / "a.parquet").symlink_to("../secret.parquet")
    (tmp_path / "linked").symlink_to("t")
    with pytest.raises(Unreadable, match="outside of its directory"):
        home(f"{tmp_path}/t/metadata/m").path(f"{tmp_path}/t/a.parquet")
    assert home(f"{tmp_path}/linked/metadata/m").path(f"{tmp_path}/t/b.parquet") == f"{tmp_path}/t/b.parquet"


def test_manifests_and_data_outside_of_a_table_are_not_read(catalog: SqlCatalog, tmp_path: Path):
    pq.write_table(rows(), tmp_path / "a.parquet")
    table = catalog.create_table("n.t", rows().schema)
    table.add_files([f"file://{tmp_path}/a.parquet"])
    with pytest.raises(Unreadable, match="names files outside of its directory"):
        open_source(metadata(table))
    told = json.loads(metadata(table).read_text())
    told["snapshots"][-1]["manifest-list"] = "file:///dev/zero"
    metadata(table).write_text(json.dumps(told))
    with pytest.raises(Unreadable, match="names files outside of its directory"):
        open_source(metadata(table))


def test_properties_of_a_table_name_no_code_and_no_server(
    catalog: SqlCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    properties = {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO", "s3.endpoint": "http://other.example"}
    table = catalog.create_table("n.t", rows().schema, properties=properties)
    table.append(rows())
    given = list[dict[str, str]]()

    def recording(name: str, properties: dict[str, str]) -> PyArrowFileIO:
        given.append(dict(properties))
        return PyArrowFileIO(properties)

    monkeypatch.setattr(pyiceberg.io, "_import_file_io", recording)
    same(open_source(metadata(table)), table)
    assert not any(each.keys() & properties.keys() for each in given)
    given.clear()
    monkeypatch.setenv("PYICEBERG_CATALOG__OURS__URI", f"sqlite:///{tmp_path}/catalog.db")
    monkeypatch.setattr(pyiceberg.catalog, "_ENV_CONFIG", Config())
    assert open_source("iceberg://ours/n.t").num_rows == ROWS
    assert given and not any("py-io-impl" in each for each in given)


def home(metadata: str, by_catalog: bool = False) -> iceberg._Home:
    return iceberg._Home(metadata.removeprefix("file://"), "t", by_catalog)


def test_files_where_they_may_be():
    assert home("/data/metadata/m").path("file:///data/a b#.parquet") == "/data/a b#.parquet"
    assert home("file:///data/m").path("file:/data/a.parquet") == "/data/a.parquet"
    assert home("s3://b/m").path("s3a://b/a.parquet") == "s3a://b/a.parquet"
    assert home("s3://b/m", by_catalog=True).path("s3a://other/a.parquet") == "s3a://other/a.parquet"


def test_what_cannot_be_opened(catalog: SqlCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    empty = catalog.create_table("n.empty", rows().schema)
    with pytest.raises(NotFound, match="has no rows"):
        open_source(metadata(empty))
    table = made(catalog, rows())
    file = Path(table.inspect.files()["file_path"][0].as_py().removeprefix("file://"))
    with pytest.raises(BadInput, match="opened alone"):
        open_source([metadata(table), file])
    data = file.read_bytes()
    file.write_bytes(data + b"more")
    with pytest.raises(Unreadable, match="is not the file that was written"):
        open_source(metadata(table))
    file.unlink()
    with pytest.raises(NotFound, match="There is no file"):
        open_source(metadata(table))
    metadata(table).write_text("{")
    with pytest.raises(Unreadable, match="cannot be read by pyiceberg"):
        open_source(metadata(table))

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(iceberg, "import_module", missing)
    with pytest.raises(BadInput, match=r"pip install 'bigviz\[iceberg\]'"):
        open_source(metadata(table))
