"""The columns that a figure tells of the row under the pointer."""

from __future__ import annotations

import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput
from bigviz.document.json import from_json
from bigviz.server.jobs.layer_ref import named_columns

TABLE = bv.open(pa.table({"x": [1.0], "y": [2.0], "a": [3], "b": ["c"]}), name="t")


def test_hover_is_written_where_it_is_given():
    made = bv.document(bv.figure(hover=["b", "a"]).points(TABLE, "x", "y"))
    value = made.to_json()
    assert value["layout"]["hover"] == ["b", "a"] and from_json(value).figures()[0].hover == ("b", "a")
    assert named_columns(made, "t") == {"x", "y", "a", "b"}
    plain = bv.document(bv.figure().points(TABLE, "x", "y"))
    assert "hover" not in plain.to_json()["layout"] and named_columns(plain, "t") == {"x", "y"}


@pytest.mark.parametrize("hover", ["a", [1]])
def test_what_is_no_list_of_columns(hover: object):
    with pytest.raises(BadInput) as caught:
        bv.figure(hover=hover)  # type: ignore[arg-type]
    assert caught.value.field == "hover"
    with pytest.raises(BadInput):
        from_json({**bv.document(bv.figure().points(TABLE, "x", "y")).to_json(), "layout": {"hover": hover}})
