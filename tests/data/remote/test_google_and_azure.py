"""gs:// and az:// against servers on loopback: addresses, ranges of one version, directories and globs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import NotFound, Unreadable
from bigviz.data.open import open as open_source

from .bucket_lists import MODIFIED
from .range_server import RangeServer
from .test_find import same

KEYS = ("t/year=2023/a b.parquet", "t/year=2024/ü.parquet", "t/_tmp/x.parquet", "other.txt")


@pytest.fixture(params=["gs", "az"])
def scheme(request: pytest.FixtureRequest, web: RangeServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment names a server on loopback in place of Google's or Azure's."""
    web.modified = MODIFIED
    found: str = request.param
    if found == "gs":
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"127.0.0.1:{web.port}")
    else:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
        monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", web.at("account"))
        monkeypatch.setenv("AZURE_SKIP_SIGNATURE", "true")
    return found


@pytest.fixture
def tree(scheme: str, web: RangeServer, tmp_path: Path) -> Path:
    """Tables in a directory, and the same in a bucket."""
    for number, key in enumerate(KEYS):
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"x": np.random.default_rng(number).random(30_000)}), path, row_group_size=9_000)
        web.files[f"{'account/' if scheme == 'az' else ''}bucket/{key}"] = path.read_bytes()
    return tmp_path


def test_the_same_rows_as_of_a_directory(scheme: str, tree: Path, web: RangeServer):
    for key in ("t/year=2023/a b.parquet", "t", "t/*/*.parquet", "t/**/ü.*"):
        same(open_source(f"{scheme}://bucket/{key}", name="t"), open_source(f"{tree}/{key}", name="t"))
    asked = [each.headers for each in web.requests if "range" in each.headers]
    assert asked and any(each.get("if-match") == '"one"' for each in asked)
    assert all("authorization" not in each.headers for each in web.requests)
    with pytest.raises(NotFound):
        open_source(f"{scheme}://bucket/none.parquet")


@pytest.mark.parametrize("fault", ["changed", "changed, unasked"])
def test_a_change_while_it_is_read_is_an_error(scheme: str, tree: Path, web: RangeServer, fault: str):
    opened = open_source(f"{scheme}://bucket/{KEYS[0]}")
    web.always = fault  # type: ignore[assignment]
    with pytest.raises(Unreadable, match="changed since it was opened"):
        opened.column("x")
