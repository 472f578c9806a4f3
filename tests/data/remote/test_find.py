"""What an address of S3 stands for, compared with the same files in a directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.sql import SqlCatalog

from bigviz.common.errors import BadInput, BigvizError, NotFound, Unreadable
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.data.paths import find_files, short_names
from bigviz.data.remote.find import find_objects

from .conftest import Bucket
from .range_server import RangeServer

TREE = (
    "trips/year=2023/a.parquet", "trips/year=2023/b.parquet", "trips/year=2024/a.parquet", "trips/year=2024/_tmp/c.pq",
    "trips/_SUCCESS", "trips/.hidden.parquet", "trips/notes.txt", "days/2024-01.parquet", "days/2024-02.parquet",
    "days/2024-03.csv", "days/old/2024-04.parquet", "days/old/x[1].parquet",
)  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path, bucket: Bucket) -> Path:
    """Tables in a directory, and the same in the bucket."""
    for number, name in enumerate(TREE):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".parquet", ".pq"):
            rng = np.random.default_rng(number)
            labels = rng.choice(["a", "b", "ü"], 500)
            pq.write_table(pa.table({"x": rng.random(500), "k": labels}), path, row_group_size=90)
        else:
            path.write_text("x,k\n1,a\n2,b\n" if path.suffix == ".csv" else "nothing")
    bucket.put_tree(tmp_path, "base")
    return tmp_path


def same(found: Dataset, expected: Dataset) -> None:
    """Every column has the same values in the same order."""
    assert found.schema.equals(expected.schema) and found.num_rows == expected.num_rows
    assert (found.name, found.notes) == (expected.name, expected.notes)
    for name in expected.schema.names:
        one, other = found.column(name), expected.column(name)
        assert one.values.tobytes() == other.values.tobytes() and one.categories == other.categories
        assert (one.valid is None) == (other.valid is None)
        assert one.valid is None or one.valid.tobytes() == other.valid.tobytes()


@pytest.mark.parametrize(
    "below",
    ["trips", "trips/year=2024", "trips/year=2023/a.parquet", "trips/*", "trips/*/a.parquet", "trips/**", "days",
     "trips/year=202?/*.parquet", "**/a.parquet", "days/2024-*.parquet", "days/2024-*", "days/*",
     "days/**/2024-0[14].*",
     "days/old/x[[]1].parquet", "trips/.hidden.*", "*/*/*.pq", "days/2024-03.csv", "trips/year=2024/_tmp/c.pq"],
)  # fmt: skip
def test_the_same_rows_as_of_a_directory(tree: Path, bucket: Bucket, below: str):
    try:
        expected = find_files(f"{tree}/{below}")
    except BigvizError as error:
        with pytest.raises(type(error)):
            find_objects(bucket.at(f"base/{below}"))
        return
    found = find_objects(bucket.at(f"base/{below}"))
    assert found.relative == expected.relative
    assert found.name == expected.name.replace(tree.name, "base")
    assert [each.removeprefix(bucket.at("base/")) for each in found.paths] == [
        Path(each).relative_to(tree).as_posix() for each in expected.paths
    ]
    same(open_source(bucket.at(f"base/{below}"), name="t"), open_source(f"{tree}/{below}", name="t"))


def test_a_slash_at_the_end_and_a_whole_bucket(tree: Path, bucket: Bucket):
    same(open_source(bucket.at("base/trips/")), open_source(tree / "trips"))
    whole = find_objects(f"s3://{bucket.name}")
    assert whole.name == bucket.name
    assert whole.relative == tuple(f"base/{each}" for each in find_files(str(tree)).relative)


def test_a_list_of_addresses_and_paths(tree: Path, bucket: Bucket):
    days = [bucket.at("base/days/2024-02.parquet"), str(tree / "days" / "2024-01.parquet")]
    same(open_source(days), open_source([tree / "days" / "2024-02.parquet", days[1]]))
    assert short_names(["s3://b/t/a/1.pq", "/data/x/2.pq", "s3://b/t/c/3.pq", "/data/y/4.pq"]) == [
        "a/1.pq", "x/2.pq", "c/3.pq", "y/4.pq",
    ]  # fmt: skip
    twice = open_source([days[0], days[0]])
    assert twice.notes == ("2024-02.parquet is the same file as 2024-02.parquet: its rows count twice.",)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("nope.parquet", "no data file at or below s3://"),
        ("base/trips/year=2024/_tmp", "it holds c.pq"),
        ("empty/", "it holds nothing"),
        ("base/days/2025-*", "No object matches"),
    ],
)
def test_where_nothing_is(tree: Path, bucket: Bucket, key: str, words: str):
    if key.endswith("_tmp"):
        assert find_objects(bucket.at(key)).relative == ("c.pq",)  # it was asked for by name
        return
    with pytest.raises(NotFound, match=words):
        open_source(bucket.at(key))


def test_no_bucket(bucket: Bucket):
    for key in ("a.parquet", "a/", "*.parquet", "**/a.parquet"):
        with pytest.raises(NotFound, match="There is n"):
            open_source(f"s3://no-such-bucket/{key}")


def test_odd_keys(bucket: Bucket, tmp_path: Path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": [1.5]}), path)
    for key in ("a b%20c#~.parquet", "ü/日本 (1).parquet", "q&a=b+c.parquet"):
        bucket.put(key, path)
        assert open_source(bucket.at(key)).column("x").values.tolist() == [1.5]
    assert find_objects(bucket.at("ü")).relative == ("日本 (1).parquet",)


def test_a_key_that_no_request_can_name_is_said(bucket: Bucket):
    bucket.put("t//a.parquet", b"x")
    with pytest.raises(Unreadable, match="an empty step"):
        open_source(bucket.at("t"))


def test_an_empty_object(bucket: Bucket, web: RangeServer):
    bucket.put("a.parquet", b"")
    web.files["a.parquet"] = b""
    for address in (bucket.at("a.parquet"), bucket.at("*.parquet"), web.at("a.parquet")):
        with pytest.raises(Unreadable, match="is empty \\(0 bytes\\)"):
            open_source(address)


def test_a_server_that_lists_nothing(web: RangeServer):
    with pytest.raises(BadInput, match="an HTTP server has no lists"):
        open_source(web.at("*.parquet"))
    with pytest.raises(NotFound, match="There is nothing at"):
        open_source(web.at("a/"))
    assert len(web.requests) == 1


def test_a_delta_table(bucket: Bucket, tmp_path: Path):
    rows = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "g": ["007", "b", "b", "ü/ c"]})
    write_deltalake(tmp_path / "t", rows, partition_by=["g"])
    DeltaTable(tmp_path / "t").delete("x = 2.0")
    bucket.put_tree(tmp_path / "t", "lake/t")
    found, expected = open_source(bucket.at("lake/t")), open_source(tmp_path / "t")
    same(found, expected)
    assert found.num_rows == 3 and "Version 1 of a Delta table." in found.notes
    gone = find_objects(bucket.at("lake/t")).paths[0].removeprefix(bucket.at())
    bucket.client.delete_object(Bucket=bucket.name, Key=gone)
    with pytest.raises(NotFound, match="which is not there"):
        open_source(bucket.at("lake/t/"))


def test_an_iceberg_table(bucket: Bucket, tmp_path: Path, _s3_endpoint: str):
    options = {"s3.endpoint": _s3_endpoint, "s3.region": "us-east-1"}
    catalog = SqlCatalog("ours", uri="sqlite:///:memory:", warehouse=bucket.at("lake"), **options)
    catalog.create_namespace("n")
    rows = pa.table({"x": [1.0, 2.0, 3.0], "g": ["007", None, "b"]})
    table = catalog.create_table("n.t", rows.schema)
    table.append(rows)
    table.append(rows)
    expected = open_source(table.scan().to_arrow())
    for address in (table.metadata_location, table.location(), table.location() + "/"):
        found = open_source(address)
        assert found.name == "t" and found.num_rows == 6
        assert found.column("x").values.tobytes() == expected.column("x").values.tobytes()
    bucket.client.delete_object(
        Bucket=bucket.name, Key=find_objects(table.location()).paths[0].removeprefix(bucket.at())
    )
    with pytest.raises(NotFound, match="There is nothing at"):
        open_source(table.location())
    bucket.put("lake/n/t/metadata/00009-x.metadata.json", b"{}")
    with pytest.raises(Unreadable, match="cannot be read by pyiceberg"):
        open_source(table.location())
    catalog.close()
