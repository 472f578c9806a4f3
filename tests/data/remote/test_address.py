from __future__ import annotations

import pytest

from bigviz.common.errors import BadInput
from bigviz.data.remote.address import address_of, is_remote, shown_source


@pytest.mark.parametrize(
    ("source", "root", "key", "shown"),
    [
        ("s3://b/t/a.parquet", "s3://b", "t/a.parquet", "s3://b/t/a.parquet"),
        ("S3A://b/t/", "s3://b", "t/", "s3://b/t/"),
        ("s3://b", "s3://b", "", "s3://b"),
        ("s3://b/a b%20c#?.parquet", "s3://b", "a b%20c#?.parquet", "s3://b/a b%20c#?.parquet"),
        ("gcs://b/k", "gs://b", "k", "gs://b/k"),
        ("abfs://c@account.dfs.core.windows.net/k", "abfs://c@account.dfs.core.windows.net", "k",
         "abfs://c@account.dfs.core.windows.net/k"),
        ("https://h/a%20b.parquet", "https://h/a%20b.parquet", "", "https://h/a%20b.parquet"),
        ("https://h:8443?sig=s#f", "https://h:8443/?sig=s", "", "https://h:8443"),
        ("http://u:p@h/a?X-Amz-Signature=s", "http://h/a?X-Amz-Signature=s", "", "http://h/a"),
        ("http://[::1]:8/a", "http://[::1]:8/a", "", "http://[::1]:8/a"),
    ],
)  # fmt: skip
def test_taken_apart(source: str, root: str, key: str, shown: str):
    found = address_of(source)
    assert (found.root, found.key, found.shown) == (root, key, shown)
    assert is_remote(source) and root not in repr(found).replace(shown, "")


def test_a_user_and_password_become_a_header():
    assert address_of("https://me:a%3Ab@h/x").authorization == "Basic bWU6YTpi"
    assert "bWU6" not in repr(address_of("https://me:a%3Ab@h/x"))


@pytest.mark.parametrize(
    "path", ["a.parquet", "/a/b://c", "C:\\a", "a:b", "trips=x", "//h/a", "~/a", "s3:/b/k", "://x"]
)
def test_a_path_is_none(path: str):
    assert not is_remote(path)
    assert shown_source(path) == path


@pytest.mark.parametrize(
    "source",
    ["ftp://h/secret", "file:///etc/passwd", "s3://", "s3:///k", "s3://key:secret@b/k", "s3://b//k", "s3://b/a/../k",
     "s3://b/./k", "s3://b/\0", "https://", "https:///x", "https://h:port/secret", "https://h:99999/", "https://h/a b",
     "https://h/a\n", "http://[::1/secret", "memory://x", "x-secret://x", "gs://u@b/k"],
)  # fmt: skip
def test_what_is_no_address(source: str):
    with pytest.raises(BadInput) as caught:
        address_of(source)
    assert caught.value.field == "source"
    assert source.startswith(("ftp", "file", "memory", "x-")) or "Expected" in caught.value.message or (
        "name the object" in caught.value.message or "give them" in caught.value.message
        or "is no address" in caught.value.message
    )  # fmt: skip


@pytest.mark.parametrize(
    "source",
    ["https://me:SECRET@h/x", "https://SECRET@h/x?a=b", "https://h/x?sig=SECRET", "https://h/x#SECRET",
     "https://h?SECRET", "https://me:pa/SECRET@h/x", "https://me:pa?SECRET@h/x", "https://me:SECRET#@h/x",
     "https://me:SECRET", "https://me:SECRET?@h/x", "https://h:SECRET/x", "s3://k:SECRET@b/k", "ftp://me:SECRET@h/x"],
)  # fmt: skip
def test_no_secret_is_shown(source: str):
    try:
        shown = f"{address_of(source)!r}{address_of(source).shown}"
    except BadInput as error:
        shown = f"{error.message}{error.got}"
    assert "SECRET" not in shown


@pytest.mark.parametrize("source", ["s3://b/\udcff.parquet", "gs://\udcff/a.parquet", "az://c/\ud800/"])
def test_keys_that_are_not_utf_8(source: str):
    with pytest.raises(BadInput, match=r"\\ud.* has bytes that are not UTF-8") as caught:
        address_of(source)
    assert caught.value.message.encode()
