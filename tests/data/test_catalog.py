"""Datasets by name: opened once, and let go of."""

from __future__ import annotations

import gc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.common.errors import NotFound
from bigviz.data.catalog import Catalog


@pytest.fixture
def path(tmp_path: Path) -> Path:
    pq.write_table(pa.table({"x": [1, 2, 3]}), tmp_path / "0a1b.parquet")
    return tmp_path / "0a1b.parquet"


def test_an_uploaded_file_is_opened_once_for_each_name_and_version(path: Path):
    catalog = Catalog()
    first = catalog.uploaded("a", 1, path)
    assert (first.name, first.version, first.num_rows) == ("a", 1, 3)
    assert catalog.uploaded("a", 1, path) is first
    second, other = catalog.uploaded("a", 2, path), catalog.uploaded("b", 1, path)
    assert (second.name, second.version, other.name, other.version) == ("a", 2, "b", 1)
    assert first.fingerprint == second.fingerprint == other.fingerprint  # one index is enough


def test_what_nobody_holds_is_let_go_of(path: Path):
    catalog = Catalog()
    number = id(catalog.uploaded("a", 1, path))
    gc.collect()
    assert not catalog._uploaded and number
    path.unlink()
    with pytest.raises(NotFound):
        catalog.uploaded("a", 1, path)


def test_the_operators_datasets():
    catalog, table = Catalog(), bv.open(pa.table({"x": [1]}), name="t")
    catalog.serve({"t": table})
    assert catalog.served == {"t": table}
    catalog.serve({})
    assert not catalog.served
