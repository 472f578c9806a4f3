"""The options of controls that are a column's values, as the rows are now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from ..api.calls import ARROW, TABLE, call, document, stream_of, upload
from ..running import Running, running

CONTROLS = {
    "kind": {"type": "multiselect", "options": {"dataset": "rows", "column": "kind"}},
    "few": {"type": "select", "options": ["a", "b"]},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("options")
    with running([], library=folder / "library") as found:
        found.await_event("loaded")
        upload(found, "rows")
        made = document("rows", controls=CONTROLS)
        places = [{"type": "control", "control": name} for name in CONTROLS]
        made["layout"] = {"id": "l0", "type": "row", "children": [made["layout"], *places]}
        assert call(found, "PUT", "documents/a", made)[0] == 201
        yield found


def test_labels_of_appended_rows_are_among_the_options(served: Running) -> None:
    first = served.get("/a/controls/kind/options.json")
    assert json.loads(first.body) == {"options": ["a", "b"], "more": False, "version": 1}
    more = TABLE.set_column(3, "kind", pa.array(["c", "a", "c", None]))
    assert call(served, "POST", "datasets/rows/append", stream_of(more), Content_Type=ARROW)[0] == 200
    known = {"If-None-Match": first.headers["Etag"]}
    now = served.get("/a/controls/kind/options.json", **known)
    assert json.loads(now.body) == {"options": ["a", "b", "c"], "more": False, "version": 2}
    assert now.headers["X-Bigviz-Version"] == "2"
    known = {"If-None-Match": now.headers["Etag"]}
    assert served.get("/a/controls/kind/options.json", **known).status == 304


def test_other_controls_have_no_column(served: Running) -> None:
    for name in ("few", "none"):
        assert served.get(f"/a/controls/{name}/options.json").status == 404
