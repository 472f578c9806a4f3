"""A client names no address: whatever is put, published or asked for, this server fetches nothing."""

from __future__ import annotations

import json
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.remote.range_server import RangeServer, range_server

from ..running import Running
from .calls import ARROW, PARQUET, TABLE, ask, call, document, stream_of, upload


@pytest.fixture
def canary():
    """A server that has what is asked for, and should not be asked."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": np.arange(9.0), "y": np.arange(9.0)}), sink)
    with range_server(a_parquet=bytes(sink.getvalue())) as told:
        yield told


def addresses(canary: RangeServer) -> list[str]:
    return [canary.at("a.parquet"), canary.at("a.parquet").replace("http", "HTTP"), "s3://bucket/a.parquet",
            "gs://bucket/a.parquet", "http://[::ffff:127.0.0.1]/a.parquet", "file:///etc/passwd"]  # fmt: skip


def test_documents_and_datasets(plots: Running, canary: RangeServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", canary.at(""))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "bait")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "bait")
    assert upload(plots, "rows")[0] == 201
    for address in addresses(canary):
        assert call(plots, "PUT", "documents/a", document(address))[0] in (400, 422)
        control = {"c": {"type": "select", "label": "C", "dataset": address, "column": "x", "value": "1"}}
        assert call(plots, "PUT", "documents/b", document("rows", controls=control))[0] in (400, 422)
        for source in (address, [address], {"path": address}):
            told = document("rows")
            told["layout"]["layers"][0]["source"] = source
            assert call(plots, "PUT", "documents/c", told)[0] in (400, 422)
        name = quote(address, safe="")
        for method in ("GET", "PUT", "DELETE"):
            body = stream_of(TABLE) if method == "PUT" else None
            assert ask(plots, method, f"datasets/{name}", body, Content_Type=ARROW).status in (400, 404, 405)
        assert plots.get(f"/{name}/").status == 404
        assert ask(plots, "PUT", "datasets/rows2", address.encode(), Content_Type=PARQUET).status in (400, 422)
    assert canary.requests == []


def test_layers_of_a_page(plots: Running, canary: RangeServer):
    assert upload(plots, "rows")[0] == 201 and call(plots, "PUT", "documents/a", document("rows"))[0] == 201
    for address in addresses(canary):
        text = quote(address, safe="")
        for query in (f"dataset={text}", f"x={text}", f"source={text}", f"filter={text}", f"agg=mean({text})"):
            assert plots.get(f"/a/layers/0/tiles/0/0/0.npy?{query}").status < 500
        body = json.dumps({"dataset": address, "box": [0, 1, 0, 1]}).encode()
        assert plots.get("/a/layers/0/select", "POST", body).status in (400, 403, 404, 415, 422)
    assert canary.requests == []
