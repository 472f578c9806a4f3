"""Messages: whatever comes is a request or a BadInput."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.server.error_json import describe
from bigviz.server.jobs.wanted import ColumnsWant, Held, LayerHeld, LayerWants, WindowWant
from bigviz.server.limits import Limits
from bigviz.server.websocket.requests import CancelRequest, FollowRequest, LayerRequest, Malformed, ViewRequest, read

LIMITS = Limits()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["op", "id", "figure", "layer", "layers", "definition", "tiles", "columns", "x"])
views = st.fixed_dictionaries(
    {"op": st.sampled_from(["view", "layer", "cancel"]), "id": st.integers(0, 3), "figure": st.integers(-1, 3)},
    optional={
        "layer": st.integers(-1, 2),
        "layers": st.lists(
            st.fixed_dictionaries(
                {"layer": st.integers(0, 2)},
                optional={
                    "tiles": st.lists(st.lists(st.integers(-1, 26), min_size=3, max_size=5), max_size=3),
                    "prefetch": values,
                    "columns": st.fixed_dictionaries({"x0": values, "x1": values}, optional={"width": values}),
                },
            ),
            max_size=3,
        ),
        "definition": values,
    },
)


@given(st.one_of(st.text(), st.binary(), values.map(json.dumps), st.dictionaries(keys, values).map(json.dumps)))
def test_noise(text):
    with pytest.raises(BadInput):
        read(text, LIMITS)


@given(views)
def test_what_looks_like_a_message(message):
    try:
        found = read(json.dumps(message), LIMITS)
    except BadInput as error:
        assert error.field is not None and not isinstance(error, Malformed)
        assert error.request == (message["id"] or 0)
        return
    assert found.id == message["id"] >= 1 and found.figure == message["figure"] >= 0
    if isinstance(found, ViewRequest):
        for wanted in found.layers:
            assert all(0 <= i < 2**zx and 0 <= j < 2**zy for zx, zy, i, j in wanted.tiles)


def test_a_layer_and_a_cancel():
    text = json.dumps({"op": "layer", "id": 4294967295, "figure": 1, "layer": 2, "definition": {"a": 1}})
    assert read(text, LIMITS) == LayerRequest(4294967295, 1, 2, {"a": 1})
    assert read('{"op":"cancel","id":1,"figure":0}', LIMITS) == CancelRequest(1, 0)


def test_a_view():
    layers = [
        {"layer": 0, "definition": None, "tiles": [[1, 2, 0, 3], [1, 2, 0, 3]], "prefetch": [[24, 24, 0, 0]]},
        {"layer": 1, "definition": {}, "columns": {"x0": "1", "x1": 2.5, "width": 16_384}},
    ]
    found = read(json.dumps({"op": "view", "id": 1, "figure": 0, "layers": layers}), LIMITS)
    tiles = LayerWants(0, None, ((1, 2, 0, 3),), ((24, 24, 0, 0),))
    assert found == ViewRequest(1, 0, (tiles, LayerWants(1, {}, columns=ColumnsWant("1", 2.5, 16_384))))


def test_the_number_of_tiles_is_counted_over_all_layers():
    limits = Limits(tiles_per_view=3)
    layers = [{"layer": n, "definition": {}, "tiles": [[1, 1, 0, n]], "prefetch": [[1, 1, 1, n]]} for n in (0, 1)]
    with pytest.raises(BadInput, match="at most 3 tiles, got 4"):
        read(json.dumps({"op": "view", "id": 1, "figure": 0, "layers": layers}), limits)


def test_bytes_are_counted_not_characters():
    limits = Limits(message_bytes=100)
    with pytest.raises(Malformed, match="at most 100 bytes"):
        read(json.dumps({"op": "é" * 60}, ensure_ascii=False), limits)


@pytest.mark.parametrize("field", ["id", "op", "figure", "layer", "layers", "tiles", "roots", "width"])
def test_values_nested_deeper_than_can_be_told(field: str):
    """JSON that can just be read is nested deeper than it could be written again."""
    wanted = {"layer": 0, "definition": {}, field: "deep"}
    view = {"op": "view", "id": 1, "figure": 0, "layers": [wanted], field: "deep"}
    if field in ("tiles", "roots", "width"):
        del view[field]
    if field == "width":
        wanted = {"layer": 0, "definition": {}, "window": {"x0": 0, "x1": 1, "y0": 0, "y1": 1, "width": "deep"}}
        view["layers"] = [wanted]
    if field == "tiles":
        wanted[field] = ["deep"]
    text = json.dumps({**view, "op": "layer"} if field == "layer" else view)
    for depth in range(850, 1_000):
        with pytest.raises(BadInput) as caught:
            read(text.replace('"deep"', "[" * depth + "]" * depth), LIMITS)
        assert len(str(describe(caught.value))) < 500


@pytest.mark.parametrize("end", [[1], {"a": 1}, [[]]])
def test_ends_of_windows_are_no_lists_or_objects(end: object):
    window = {"x0": end, "x1": 1, "y0": 0, "y1": 1, "width": 5, "height": 5}
    for layer, field in (
        ({"layer": 0, "definition": {}, "window": window}, "layers[0].window.x0"),
        ({"layer": 0, "definition": {}, "columns": {"x0": 0, "x1": end, "width": 5}}, "layers[0].columns.x1"),
    ):
        with pytest.raises(BadInput) as caught:
            read(json.dumps({"op": "view", "id": 1, "figure": 0, "layers": [layer]}), LIMITS)
        assert caught.value.field == field


def test_what_a_page_follows():
    window = {"x0": "1", "x1": "2", "y0": 0.5, "y1": 1, "width": 30, "height": 20}
    tiles = {"layer": 0, "definition": 1, "tiles": [2, 1, 1, 2, 0, 1], "kept": [[0, 0, 0, 0]], "window": window}
    line = {"layer": 1, "definition": 2, "columns": {"x0": 0, "x1": 1, "width": 9}}
    figures = [{"figure": 3, "layers": [tiles, line]}]
    found = read(json.dumps({"op": "follow", "id": 7, "versions": {"a": 2}, "figures": figures}), LIMITS)
    places = ((2, 1, 1, 0), (2, 1, 2, 0), (2, 1, 1, 1), (2, 1, 2, 1))
    shown = Held(places, ((0, 0, 0, 0),), WindowWant(("1", "2", 0.5, 1), 30, 20))
    layers = (LayerHeld(0, 1, shown), LayerHeld(1, 2, Held(columns=ColumnsWant(0, 1, 9))))
    assert (found.id, found.versions, found.followed.figures) == (7, {"a": 2}, ((3, layers),))
    again = read(json.dumps({"op": "follow", "id": 8, "versions": {"a": 3}}), LIMITS)
    assert again == FollowRequest(8, {"a": 3}, None)


@pytest.mark.parametrize(
    ("held", "field"),
    [
        ({"tiles": [0, 0, 0, 0, 0]}, "tiles"),
        ({"tiles": [0, 0, 1, 0, 0, 0]}, "tiles"),
        ({"tiles": [20, 20, 0, 1_000, 0, 1_000]}, "tiles"),
        ({"tiles": [1, 1, 0, 2, 0, 0]}, "tiles"),
        ({"kept": [[24, 24, k, 0] for k in range(257)]}, "kept"),
        ({"columns": []}, "columns"),
        ({"prefetch": []}, "prefetch"),
    ],
)
def test_what_cannot_be_followed(held, field):
    figures = [{"figure": 0, "layers": [{"layer": 0, **held}]}]
    with pytest.raises(BadInput) as found:
        read(json.dumps({"op": "follow", "id": 1, "versions": {}, "figures": figures}), LIMITS)
    assert field in str(found.value.field) and found.value.request == 1
