"""Ranges from servers that fail, change and lie: the same rows as of the file, or an error in words without secrets."""

from __future__ import annotations

import gzip
import importlib
import json
import logging
import os
import struct
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, BigvizError, Cancelled, NotFound, TooLarge, Unreadable
from bigviz.data.open import open as open_source
from bigviz.data.remote import object_file, s3_bucket, settings, stores
from bigviz.data.remote.address import address_of
from bigviz.data.remote.object_file import ObjectFile

from ...patience import until
from .conftest import Bucket
from .range_server import Fault, RangeServer
from .test_find import same

ROWS = 30_000
SECRET = "user:kept-secret@"
SIGNED = "?X-Amz-Signature=kept-secret&X-Amz-Expires=60"


def table(rows: int = ROWS) -> pa.Table:
    rng = np.random.default_rng(3)
    return pa.table({
        "x": rng.random(rows), "n": rng.integers(0, 99, rows), "k": pa.array(rng.choice(["a", "b", "ü"], rows)),
        "t": pa.array(rng.integers(0, 10**18, rows), pa.timestamp("ns")), "v": pa.array(rng.random(rows).tolist()),
    })  # fmt: skip


def written(path: Path, rows: int = ROWS) -> Path:
    rows_of, name = table(rows), path.name
    if name.endswith(".parquet"):
        pq.write_table(rows_of, path, row_group_size=4_000)
    elif name.endswith(".arrow"):
        with ipc.new_file(path, rows_of.schema) as writer:
            writer.write_table(rows_of, 7_000)
    elif name.endswith(".arrows"):
        with ipc.new_stream(path, rows_of.schema) as writer:
            writer.write_table(rows_of, 7_000)
    elif name.endswith(".feather"):
        feather.write_feather(rows_of, path, compression="zstd")
    else:
        csv.write_csv(rows_of.drop_columns("t"), path)
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
    return path


@pytest.mark.parametrize(
    "name", ["a.parquet", "a.arrow", "a.arrows", "a.feather", "a.csv.gz", "one.parquet", "int96.parquet"]
)
def test_every_format(tmp_path: Path, web: RangeServer, bucket: Bucket, name: str):
    path = written(tmp_path / name)
    if name == "one.parquet":
        pq.write_table(table(), path)
    elif name == "int96.parquet":
        pq.write_table(table(), path, use_deprecated_int96_timestamps=True)
    web.files[name] = path.read_bytes()
    bucket.put(name, path)
    for address in (web.at(name), bucket.at(name)):
        same(open_source(address), open_source(path))


def test_points_of_geoparquet(tmp_path: Path, web: RangeServer, bucket: Bucket):
    """As WKB and as x and y beside each other: their coordinates are columns, here and elsewhere."""
    pairs = np.random.default_rng(4).random((900, 2))
    told = {"version": "1.1.0", "primary_column": "wkb", "columns": {
        "wkb": {"encoding": "WKB", "geometry_types": ["Point"]},
        "own": {"encoding": "point", "geometry_types": ["Point"]},
    }}  # fmt: skip
    shapes = pa.table({
        "wkb": pa.array([struct.pack("<BIdd", 1, 1, *pair) for pair in pairs.tolist()], pa.binary()),
        "own": pa.StructArray.from_arrays([pa.array(pairs[:, 0]), pa.array(pairs[:, 1])], ["x", "y"]),
    }).replace_schema_metadata({"geo": json.dumps(told)})  # fmt: skip
    path = tmp_path / "a.parquet"
    pq.write_table(shapes, path, row_group_size=200)
    web.files["a.parquet"] = path.read_bytes()
    bucket.put("a.parquet", path)
    for source in (path, web.at("a.parquet"), bucket.at("a.parquet")):
        opened = open_source(source)
        for name in ("wkb", "own"):
            for at, axis in enumerate("xy"):
                assert opened.column(f"{name}.{axis}").values.tolist() == pairs[:, at].tolist()


@pytest.fixture
def parquet(tmp_path: Path, web: RangeServer) -> Path:
    path = written(tmp_path / "a.parquet")
    web.files["a.parquet"] = path.read_bytes()
    return path


@pytest.mark.parametrize(
    "faults",
    [["503", "503"], ["cut"], ["cut", "cut"], ["cut", "503"]],
    ids=" ".join,
)
def test_what_passes_is_asked_for_again(web: RangeServer, parquet: Path, faults: list[Fault]):
    opened = open_source(web.at("a.parquet"))
    for name in ("x", "k"):
        web.faults[:] = faults
        assert opened.column(name).values.tobytes() == open_source(parquet).column(name).values.tobytes()
        assert not web.faults
    web.faults[:] = faults
    same(open_source(web.at("a.parquet")), open_source(parquet))


def test_an_answer_that_does_not_come_is_not_awaited(web: RangeServer, parquet: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "PATIENCE", settings.Patience(5, 1, 20, 1, 40, 0.01, 0.02))
    web.faults[:] = ["silent"]
    opened = open_source(web.at("a.parquet"))
    assert not web.faults
    web.always = "silent"
    with pytest.raises(Unreadable, match="did not send it in time"):
        opened.column("x")


@pytest.mark.parametrize("fault", ["silent", "trickle"])
def test_a_host_that_does_not_answer_is_not_asked_for_a_while(
    web: RangeServer, parquet: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
):
    opened = open_source(web.at("a.parquet"))
    web.files["b.parquet"] = web.files["a.parquet"]
    other = open_source(web.at("b.parquet"))
    monkeypatch.setattr(settings, "PATIENCE", settings.Patience(5, 0.2, 20, 0, 0, 0.01, 0.02, 0.2))
    stores.store_of.cache_clear()
    web.always = fault
    for _ in range(3):
        with pytest.raises(Unreadable, match="did not send it in time"):
            opened.column("x")
    web.requests.clear()
    with pytest.raises(Unreadable, match=r"is not asked again until \d\d:\d\d:\d\d UTC"):
        opened.column("v")
    assert web.requests == []
    with pytest.raises(Unreadable, match="did not send it in time"):  # it may have been the fault of one object
        other.column("v")
    web.requests.clear()
    web.always = ""
    for failing in (lambda: opened.column("n"), lambda: other.column("n"), lambda: open_source(web.at("c.parquet"))):
        with pytest.raises(Unreadable, match="is not asked again until"):
            failing()
    assert web.requests == []


def test_one_object_that_hangs_holds_up_no_other(web: RangeServer, parquet: Path, monkeypatch: pytest.MonkeyPatch):
    opened = open_source(web.at("a.parquet"))
    web.files["b.parquet"] = web.files["a.parquet"]
    other = open_source(web.at("b.parquet"))
    monkeypatch.setattr(settings, "PATIENCE", settings.Patience(5, 0.2, 20, 0, 0, 0.01, 0.02, 0.2))
    web.always = "silent"
    for words in ("did not send it in time",) * 3 + ("is not asked again",) * 2:
        with pytest.raises(Unreadable, match=words):
            opened.column("x")
    web.always = ""
    assert other.column("x").values.tobytes() == open_source(parquet).column("x").values.tobytes()
    with pytest.raises(Unreadable, match="is not asked again"):
        opened.column("x")


def test_a_wait_ends_when_nobody_wants_it(web: RangeServer, parquet: Path):
    opened = open_source(web.at("a.parquet"))
    web.always = "silent"
    cancel = Cancel()
    web.requests.clear()
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(opened.column, "x", cancel=cancel)
        until(lambda: bool(web.requests))
        cancel.cancel()
        with pytest.raises(Cancelled):
            reading.result()
    web.always = ""
    assert opened.column("x").values.tobytes() == open_source(parquet).column("x").values.tobytes()


FAILURES: list[tuple[Fault, str]] = [
    ("503", "answered 503 Service Unavailable to each of 3 requests. Try again later"),
    ("cut", "was cut before all of it came"),
    ("whole", "200 instead of 206 Partial Content"),
    ("other range", "were asked for and bytes"),
    ("no range", "no usable Content-Range"),
    ("endless", "bytes were asked for and more came"),
    ("403", "may not be read: the server answered 403 Forbidden. A signed address may have expired"),
]


@pytest.mark.parametrize(("fault", "words"), FAILURES)
def test_what_does_not_pass_is_said(web: RangeServer, parquet: Path, fault: Fault, words: str):
    opened = open_source(web.at("a.parquet"))
    web.always = fault
    for failing in (lambda: opened.column("x"), lambda: open_source(web.at("a.parquet")), opened.check):
        web.requests.clear()
        with pytest.raises(Unreadable) as caught:
            failing()
        assert words in caught.value.message and f"http://127.0.0.1:{web.port}/a.parquet" in caught.value.message
    web.always = ""
    assert opened.column("x").values.tobytes() == open_source(parquet).column("x").values.tobytes()


@pytest.mark.parametrize("fault", ["changed", "changed, unasked", "longer", "404"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_change_while_it_is_read_is_an_error(web: RangeServer, parquet: Path, fault: Fault, after: int):
    opened = open_source(web.at("a.parquet"))
    opened.column("n")
    web.faults[:] = [""] * after
    web.always = fault
    words = "is gone since it was opened" if fault == "404" else "changed since it was opened"
    with pytest.raises(Unreadable, match=words):
        for name in ("x", "t", "k", "v"):
            opened.column(name)
    with pytest.raises(Unreadable, match=words):
        opened.check()
    assert opened.column("n").values.tobytes() == open_source(parquet).column("n").values.tobytes()


def test_a_body_is_not_put_together_of_two_objects(web: RangeServer, parquet: Path):
    for fault in ("changed", "changed, unasked"):
        web.faults.clear()
        web.always = ""
        opened = open_source(web.at("a.parquet"))
        web.faults[:] = ["cut"]
        web.always = fault
        with pytest.raises(Unreadable):
            opened.column("x")


def test_a_server_without_etags(web: RangeServer, parquet: Path):
    web.etag, web.modified = None, "Mon, 30 Nov 2026 11:00:00 GMT"
    first = open_source(web.at("a.parquet"))
    same(first, open_source(parquet))
    assert all("if-match" not in each.headers for each in web.requests)
    opened = open_source(web.at("a.parquet"))
    assert opened.fingerprint == first.fingerprint
    web.always = "other time"
    with pytest.raises(Unreadable, match="changed"):
        opened.column("x")
    assert open_source(web.at("a.parquet")).fingerprint != first.fingerprint


def test_a_weak_etag_is_compared_and_not_asked_for(web: RangeServer, parquet: Path):
    web.etag = 'W/"weak"'
    opened = open_source(web.at("a.parquet"))
    same(opened, open_source(parquet))
    assert all("if-match" not in each.headers for each in web.requests)
    web.etag = 'W/"other"'
    with pytest.raises(Unreadable, match="changed"):
        opened.check()


def test_the_fingerprint_is_of_the_etag_and_not_of_the_signature(web: RangeServer, parquet: Path):
    first = open_source(web.at("a.parquet" + SIGNED)).fingerprint
    assert open_source(web.at("a.parquet?X-Amz-Signature=other")).fingerprint == first
    web.etag = '"two"'
    assert open_source(web.at("a.parquet")).fingerprint != first


@pytest.mark.parametrize("etag", [None, '"one"'])
def test_what_a_query_names_is_told_apart_and_shown_to_nobody(web: RangeServer, parquet: Path, etag: str | None):
    web.etag = etag  # which a server may give to all that it has
    first = open_source(web.at("a.parquet?id=kept-secret"))
    same = open_source(web.at("a.parquet?id=kept-secret&" + SIGNED[1:]))
    queries = ("", "?id=2", "?id", "?sv=1", "?id=kept-secret&sp=r")
    others = [open_source(web.at("a.parquet" + query)) for query in queries]
    assert first.fingerprint == same.fingerprint
    assert len({first.fingerprint, *(each.fingerprint for each in others)}) == 1 + len(others)
    assert len({first.files[0].place, *(each.files[0].place for each in others)}) == 1 + len(others)
    assert "kept-secret" not in f"{first!r}{first.files}{first.files[0].place}{first.files[0].identity}"


def test_an_object_that_is_written_anew(bucket: Bucket, tmp_path: Path):
    bucket.put("t/a.parquet", written(tmp_path / "a.parquet"))
    for address in (bucket.at("t/a.parquet"), bucket.at("t"), bucket.at("t/*.parquet")):
        bucket.put("t/a.parquet", tmp_path / "a.parquet")
        opened = open_source(address)
        fingerprint = opened.fingerprint
        assert open_source(address).fingerprint == fingerprint
        bucket.put("t/a.parquet", written(tmp_path / "b.parquet", ROWS - 1))
        with pytest.raises(Unreadable, match="changed since it was opened"):
            opened.column("x")
        assert open_source(address).fingerprint != fingerprint
        bucket.client.delete_object(Bucket=bucket.name, Key="t/a.parquet")
        with pytest.raises(Unreadable, match="gone since it was opened"):
            opened.check()


def test_a_column_takes_few_requests_and_little_more_than_its_bytes(web: RangeServer, tmp_path: Path):
    path = tmp_path / "wide.parquet"
    rng = np.random.default_rng(1)
    pq.write_table(pa.table({f"c{at}": rng.random(200_000) for at in range(12)}), path, row_group_size=50_000)
    web.files["wide.parquet"] = path.read_bytes()
    opened = open_source(web.at("wide.parquet"))
    assert len(web.requests) <= 3  # the head, the end, and perhaps the rest of the footer
    web.requests.clear()
    opened.column("c7")
    ranges = [each.headers["range"].removeprefix("bytes=").split("-") for each in web.requests]
    assert len(ranges) <= 4
    assert sum(int(last) - int(first) + 1 for first, last in ranges) < 1.5 * 200_000 * 8


@pytest.mark.parametrize("fault", [each for each, _ in FAILURES] + ["404", "changed", "few", ""])
def test_no_secret_is_told(web: RangeServer, parquet: Path, fault: Fault, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    address = web.at("a.parquet", SECRET) + SIGNED
    opened = open_source(address)
    assert web.requests[-1].headers["authorization"].startswith("Basic ") and "kept-secret" in web.requests[-1].path
    told = [
        repr(opened),
        repr(opened.files),
        *opened.notes,
        *opened.assumed,
        opened.name,
        str(opened.files[0].identity),
    ]
    web.always = fault
    for failing in (lambda: opened.column("x"), lambda: open_source(address), opened.check):
        try:
            failing()
        except BigvizError as error:
            told += [error.message, repr(error.got), "".join(traceback.format_exception(error))]
    assert "kept-secret" not in "".join(told) + caplog.text


def test_a_query_names_the_object_too(web: RangeServer, parquet: Path):
    open_source(web.at("a.parquet" + SIGNED)).column("x")
    assert {each.path for each in web.requests} == {"/a.parquet" + SIGNED}


@pytest.mark.parametrize("port", [1])
def test_nobody_listens(port: int):
    with pytest.raises(Unreadable, match="takes no connection"):
        open_source(f"http://127.0.0.1:{port}/a.parquet")


def test_what_was_read_of_small_parts_is_kept(web: RangeServer, parquet: Path):
    file = ObjectFile.at(web.at("a.parquet"))
    data = web.files["a.parquet"]
    for _ in range(3):
        assert file.ends(1 << 16) == (data[: 1 << 16], data[-(1 << 16) :])
    assert len(web.requests) <= 2
    other = ObjectFile.at(web.at("a.parquet"))
    assert other == file and hash(other) == hash(file)


def test_a_copy_for_readers_of_descriptors(web: RangeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(object_file, "_COPIED", 1_000)
    data = web.files["a.bin"] = os.urandom(5_432)
    with ObjectFile.at(web.at("a.bin")).descriptor() as copy:
        assert os.pread(copy, 10_000, 0) == data and os.fstat(copy).st_size == len(data)


def test_a_copy_that_would_fill_the_disk_is_refused(web: RangeServer, monkeypatch: pytest.MonkeyPatch):
    web.files["a.csv"] = b"x,y\n1,2\n"
    monkeypatch.setattr(object_file.shutil, "disk_usage", lambda path: SimpleNamespace(free=8))
    with pytest.raises(TooLarge, match=r"has to be copied to be read \(8 bytes\), and .* has no room"):
        open_source(web.at("a.csv"))


def test_without_the_package(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(s3_bucket, "import_module", missing)
    for address in ("az://b/k", "s3://b/k"):
        with pytest.raises(BadInput, match=r"pip install 'bigviz\[remote\]'"):
            open_source(address)


def test_credentials(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of a profile, and none at all: then nothing is signed."""
    bucket.put("a.parquet", written(tmp_path / "a.parquet"))
    bucket.client.put_object_acl(Bucket=bucket.name, Key="a.parquet", ACL="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "credentials").write_text("[ours]\naws_access_key_id = AKPROFILE\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for profile, file in (("", "none"), ("ours", "credentials")):
        stores.store_of.cache_clear()
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / file))
        if profile:
            monkeypatch.setenv("AWS_PROFILE", profile)
        found = s3_bucket.amazon_bucket(address_of(bucket.at()))
        assert found is not None and (found._sign is not None) == bool(profile)
        assert open_source(bucket.at("a.parquet")).num_rows == ROWS


def test_a_missing_region_is_named(web: RangeServer, monkeypatch: pytest.MonkeyPatch):
    exceptions = importlib.import_module("obstore.exceptions")
    from bigviz.data.remote.failures import failure_of  # noqa: PLC0415

    error = exceptions.GenericError("Generic S3 error: Received redirect without LOCATION, this normally indicates …")
    assert "AWS_REGION" in failure_of(error, address_of("s3://b/k")).message
    assert isinstance(failure_of(FileNotFoundError(""), address_of("s3://b/k")), NotFound)
