"""Directories and globs above tables whose logs say which of their files count, and within them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog

from bigviz.common.cancel import NEVER
from bigviz.common.errors import BadInput
from bigviz.data.following.file_set import FileSet
from bigviz.data.open import open as open_source

from .conftest import Bucket

NOTE = "picked out of a table (Delta)"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Two tables of which rows were removed and whose files lie there still, one that bigviz does not read, and a
    directory that is no table."""
    folder = tmp_path / "lake"
    rows = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "g": ["a", "a", "b", "b"]})
    write_deltalake(folder / "sub" / "delta", rows, partition_by=["g"])
    DeltaTable(folder / "sub" / "delta").delete("x < 4")
    catalog = SqlCatalog("ours", uri="sqlite:///:memory:", warehouse=f"file://{tmp_path}/lake")
    catalog.create_namespace("n")
    table = catalog.create_table("n.iceberg", rows.schema, location=f"file://{folder}/sub/iceberg")
    table.append(rows)
    table.delete("x < 4")
    catalog.close()
    for name in ("hudi/.hoodie", "plain", "sub/delta/_tmp/t/_delta_log"):
        (folder / name).mkdir(parents=True)
    (folder / "hudi" / ".hoodie" / "hoodie.properties").write_text("")
    (folder / "sub" / "delta" / "_tmp" / "t" / "_delta_log" / "0.json").write_text("")
    for name in ("hudi/a.parquet", "plain/a.parquet"):
        pq.write_table(rows, folder / name)
    return folder


ABOVE = [
    ("", "holds the Hudi table"), ("sub", "holds the Delta table"), ("sub/*", "and 1 other tables"),
    ("*/*/*/*.parquet", "holds the Delta table"), ("**/*.parquet", "holds the Hudi table"),
    ("sub/ice*/data/*.parquet", "holds the Iceberg table"), ("sub/iceberg/data", "belongs to the Iceberg table"),
    ("sub/delta/g=a", "belongs to the Delta table"), ("hudi", "Bigviz does not read those"),
    ("*/a.parquet", "holds the Hudi table"),
]  # fmt: skip


@pytest.mark.parametrize(("below", "words"), ABOVE)
def test_what_is_above_a_table_or_a_part_of_it_is_refused(lake: Path, bucket: Bucket, below: str, words: str):
    bucket.put_tree(lake, "lake")
    for source in (str(lake / below), bucket.at(f"lake/{below}")):
        with pytest.raises(BadInput) as caught:
            open_source(source)
        assert words in caught.value.message and "says which of its files count" in caught.value.message


def test_what_is_named_is_opened(lake: Path, bucket: Bucket):
    bucket.put_tree(lake, "lake")
    for base in (f"{lake}/", bucket.at("lake/")):
        for below, rows in (("sub/delta", 1), ("plain", 4), ("p*/*", 4)):
            opened = open_source(base + below)
            assert opened.num_rows == rows and not any(NOTE in each for each in opened.notes)
        opened = open_source(f"{base}sub/delta/**/*.parquet")  # as they asked for files, they get them
        assert opened.num_rows == 5 and sum(NOTE in each for each in opened.notes) == 1
    assert open_source(lake / "sub" / "iceberg").num_rows == 1
    files = sorted((lake / "sub" / "delta").rglob("g=*/*.parquet"))
    assert sum(NOTE in each for each in open_source(files).notes) == 1


def test_links_lead_into_tables_too(lake: Path):
    (lake.parent / "part").symlink_to(lake / "sub" / "delta" / "g=a")
    (lake / "plain" / "more").symlink_to(lake / "sub" / "delta" / "g=a")
    for source in (lake.parent / "part", lake / "plain", lake / "plain" / "more"):
        with pytest.raises(BadInput, match="Delta table"):
            open_source(source)


def test_none_is_followed(lake: Path):
    for below in ("", "sub/delta/g=a", "sub/*"):
        with pytest.raises(BadInput, match="which of its files count"):
            FileSet(str(lake / below)).look(NEVER)
