"""A server in Amazon's place of which nothing is believed, and requests as it checks them."""

from __future__ import annotations

import gc
import hashlib
import hmac
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import NoCredentialsError

from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.open import open as open_source
from bigviz.data.remote import s3_bucket
from bigviz.data.remote.address import address_of
from bigviz.data.remote.find import find_objects
from bigviz.data.remote.object_store import Store
from bigviz.data.remote.s3_bucket import S3Bucket, amazon_bucket
from bigviz.data.remote.stores import bucket_of, store_of
from bigviz.data.remote.transfers import host_of

from .range_server import Fault, RangeServer, Request, range_server
from .test_find import same

SECRET = "kept/secret"
KEYS = ("t/year=2023/a b+c.parquet", "t/year=2024/ü~(1)'!*.parquet", "t/_tmp/x.parquet")


@pytest.fixture
def s3(web: RangeServer, monkeypatch: pytest.MonkeyPatch) -> RangeServer:
    """The environment names it, with keys."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_SKIP_SIGNATURE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", web.at(""))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of a session")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    return web


@pytest.fixture
def tree(s3: RangeServer, tmp_path: Path) -> Path:
    for number, key in enumerate(KEYS):
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"x": np.random.default_rng(number).random(30_000)}), path, row_group_size=9_000)
        s3.files[f"bucket/{key}"] = path.read_bytes()
    return tmp_path


def signed(request: Request) -> str:
    """The header that signs a request, written down from Amazon's description."""
    headers, parts = request.headers, urlsplit(request.path)
    names = sorted({"host", *(name for name in headers if name.startswith("x-amz-"))})
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    query = "&".join(sorted(parts.query.split("&")))
    payload = headers["x-amz-content-sha256"]
    whole = "\n".join(("GET", parts.path, query, lines, ";".join(names), payload))
    scope = f"{headers['x-amz-date'][:8]}/eu-central-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(whole.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"AWS4-HMAC-SHA256 Credential=AK/{scope}, SignedHeaders={';'.join(names)}, Signature={key.hex()}"


def test_requests_are_signed_as_amazon_checks_it(s3: RangeServer, tree: Path):
    for below in ("t", KEYS[0], KEYS[1], "t/*/*.parquet"):
        same(
            open_source(f"s3://bucket/{below}", name="t"),
            open_source(f"{tree}/{below}", name="t"),
        )
    assert len(s3.requests) > 8 and any("list-type" in each.path for each in s3.requests)
    for each in s3.requests:
        assert each.headers["authorization"] == signed(each)
        assert each.headers["x-amz-security-token"] == "of a session"


def test_without_keys_nothing_is_signed(s3: RangeServer, tree: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    assert open_source("s3://bucket/t").num_rows == 60_000
    assert all("authorization" not in each.headers for each in s3.requests)


FAILURES: list[tuple[Fault, str]] = [
    ("503", "answered 503 Service Unavailable to each of 3 requests"),
    ("cut", "was cut before all of it came"),
    ("whole", "200 instead of 206 Partial Content"),
    ("other range", "were asked for and bytes"),
    ("no range", "no usable Content-Range"),
    ("endless", "bytes were asked for and more came"),
    ("403", "Credentials are those of the environment"),
    ("endless 403", "Credentials are those of the environment"),
    ("endless 503", "answered 503"),
    ("changed", "changed since it was opened"),
    ("changed, unasked", "changed since it was opened"),
    ("404", "gone since it was opened"),
]


@pytest.mark.parametrize(("fault", "words"), FAILURES)
def test_what_does_not_pass_is_said(s3: RangeServer, tree: Path, fault: Fault, words: str):
    opened = open_source(f"s3://bucket/{KEYS[0]}")
    s3.always = fault
    with pytest.raises(Unreadable) as caught:
        opened.column("x")
    assert words in caught.value.message and SECRET not in caught.value.message
    s3.always = ""
    assert opened.column("x").values.tobytes() == open_source(tree / KEYS[0]).column("x").values.tobytes()
    assert s3.sent < 1 << 27  # what lies in buffers of three requests


def test_a_list_that_is_not_asked_for_leaves_nothing_behind(s3: RangeServer):
    """Python would warn of a coroutine that was never awaited."""
    address = address_of("s3://bucket/t")
    for _ in range(3):
        host_of(address.host)._breaker.unanswered()
    for listed in (bucket_of(address).below, bucket_of(address).some_below, bucket_of(address).level):
        with pytest.raises(Unreadable, match="is not asked again until"):
            listed(address)
    gc.collect()
    assert not s3.requests


@pytest.mark.parametrize("fault", ["endless 403", "endless 503"])
def test_what_comes_with_the_error_of_a_list_is_not_read(s3: RangeServer, fault: Fault):
    s3.always = fault
    for below in ("t/", "t/*", "t/**"):
        with pytest.raises(Unreadable, match=r"server answered \d03"):
            open_source(f"s3://bucket/{below}")
    assert s3.sent < 1 << 27


def test_it_leads_nowhere(s3: RangeServer, tree: Path):
    with range_server() as canary:
        s3.leads = {f"/bucket/{KEYS[2]}": canary.at("x"), "/bucket/t/b.parquet": "/bucket/t/c.parquet"}
        for key in (KEYS[2], "t/b.parquet"):
            with pytest.raises(Unreadable, match=r"another region \(eu-west-1\). Name that in AWS_REGION"):
                open_source(f"s3://bucket/{key}")
        assert canary.requests == []


def page(*keys: str, after: str = "", more: str = "") -> bytes:
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-30T12:00:00.000Z</LastModified><ETag>&quot;one&quot;</ETag>"
        f"<Size>9</Size></Contents>"
        for key in keys
    )
    last = f"<NextContinuationToken>{after}</NextContinuationToken>" if after else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<IsTruncated>{'true' if after else 'false'}</IsTruncated>{last}{contents}{more}</ListBucketResult>"
    ).encode()


def test_lists_of_many_answers(s3: RangeServer):
    prefixes = "<CommonPrefixes><Prefix>t/c.pq/</Prefix></CommonPrefixes>"
    s3.lists = [page("t/", "t/a&amp;b.pq", after="1/+=="), page(after="2"), page("t/z.pq", more=prefixes)]
    bucket = store_of(address_of("s3://bucket/"))
    assert isinstance(bucket, S3Bucket)
    folders, objects = bucket.level(address_of("s3://bucket/t"))
    assert folders == ["t/c.pq/"] and [each.key for each in objects] == ["t/a&b.pq", "t/z.pq"]
    assert {(each.size, each.etag) for each in objects} == {(9, '"one"')}
    assert [each.path.count("continuation-token=") for each in s3.requests] == [0, 1, 1]
    assert "continuation-token=1%2F%2B%3D%3D" in s3.requests[1].path
    assert all(each.headers["authorization"] == signed(each) for each in s3.requests)


@pytest.mark.parametrize(
    "lists",
    [[b"nothing"], [b"<a>"], [page()[:-5]], [b'<!DOCTYPE a [<!ENTITY b "c">]>' + page()], [page(*["t/a.pq"] * 200_000)],
     [page("t/a.pq").replace(b"<Size>9", b"<Size>x")], [page("t/a.pq").replace(b"2026", b"x")],
     [page("t/a.pq", after="same")] * 3, [page(after=str(at)) for at in range(200)],
     [page().decode().encode("utf-16")], [page("t/a.pq").replace(b"<Size>9", b"<Size>-9")],
     [page("t/a.pq").replace(b"<Size>9", b"<Size>" + b"9" * 19)],
     [page("t/a.pq").replace(b"2026-11-30T12:00:00.000Z", b"0001-01-01T00:00:00")]],
    ids=range(13),
)  # fmt: skip
def test_what_is_no_list(s3: RangeServer, lists: list[bytes]):
    s3.lists = lists
    with pytest.raises(Unreadable, match="what its server sent is no list of objects"):
        find_objects("s3://bucket/t/")


def test_a_list_without_an_end(s3: RangeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(s3_bucket, "MOST_LISTED", 5)
    s3.lists = [page(f"t/{at}.pq", after=str(at)) for at in range(20)]
    with pytest.raises(BadInput, match="has more than 5 objects"):
        find_objects("s3://bucket/t/")


@pytest.mark.parametrize("key", ["t//a.pq", "t/../a.pq", "t/./a.pq", "/t/a.pq"])
def test_keys_that_no_request_can_name(s3: RangeServer, key: str):
    s3.lists = [page(key)]
    with pytest.raises(Unreadable, match="an empty step"):
        find_objects("s3://bucket/t/")


def test_where_buckets_are(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST"):
        monkeypatch.delenv(name, raising=False)
    base = s3_bucket._amazon_base
    assert base("b", "eu-west-1") == "https://s3.eu-west-1.amazonaws.com/b"
    assert base("b", "cn-north-1") == "https://s3.cn-north-1.amazonaws.com.cn/b"
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
    assert base("b", "eu-west-1") == "https://b.s3.eu-west-1.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://b.of.me/")
    assert base("b", "eu-west-1") == "https://b.of.me/"
    monkeypatch.delenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")
    assert base("b", "eu-west-1") == "https://b.of.me/b"


def test_what_takes_more_than_a_signature_is_left_to_obstore(s3: RangeServer, monkeypatch: pytest.MonkeyPatch):
    assert isinstance(store_of(address_of("s3://a--use1-az4--x-s3/").store), Store)
    monkeypatch.setenv("AWS_SSE_CUSTOMER_KEY_BASE64", "a2V5")
    assert isinstance(store_of(address_of("s3://a/").store), Store)


def test_credentials_that_cannot_be_had(s3: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Refreshed:
        refresh_needed = True

        def get_frozen_credentials(self) -> Any:
            raise NoCredentialsError

    monkeypatch.setattr(s3_bucket, "_credentials", lambda: (Refreshed(), None))
    with pytest.raises(Unreadable, match=r"the credentials for it cannot be had. Credentials are those of"):
        open_source("s3://bucket/a.parquet")
    monkeypatch.undo()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(BadInput, match="settings of its store"):
        amazon_bucket(address_of("s3://bucket/"))


def test_nothing_there(s3: RangeServer):
    for key in ("a.parquet", "a/", "*.parquet"):
        with pytest.raises(NotFound):
            open_source(f"s3://bucket/{key}")
