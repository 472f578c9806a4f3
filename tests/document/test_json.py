"""Documents as JSON: there and back, and nothing that is not understood."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.aggregate.layer_options import AXIS_KINDS, GLYPHS
from bigviz.common.errors import BadInput
from bigviz.document.json import from_json
from bigviz.document.spec import (
    DASHES,
    HOWS,
    MARKERS,
    AxisSpec,
    BasemapSpec,
    Document,
    FigureSpec,
    FollowSpec,
    LayerSpec,
    LayoutSpec,
    RangeSpec,
)

AXIS = {"kind": "linear", "label": None, "unit": None, "zone": None, "categories": None}
LAYER = {
    "id": "f0-0",
    "dataset": "trips",
    "glyph": "points",
    "x": "x",
    "y": "y",
    "agg": "count",
    "cmap": "fire",
    "how": "eq_hist",
    "low": None,
    "high": None,
    "color": None,
    "root": "default",
    "line_width": None,
    "alpha": 1,
    "line_dash": "solid",
    "size": None,
    "marker": "circle",
    "legend_label": None,
}
NEW_IN_LAYERS = ("line_width", "alpha", "line_dash", "size", "marker", "legend_label")
FIGURE = {
    "id": "f0",
    "type": "figure",
    "title": "Trips",
    "x_range": "x0",
    "y_range": "y0",
    "x_axis": AXIS,
    "y_axis": dict(AXIS),
    "aspect": None,
    "width": None,
    "height": None,
    "layers": [LAYER],
}
DOCUMENT = {
    "format": 2,
    "id": "trips",
    "title": "Trips",
    "datasets": ["trips"],
    "rows": False,
    "ranges": {"x0": {"start": None, "end": None}, "y0": {"start": "-5", "end": "1700000000000000000"}},
    "layout": {"id": "l0", "type": "column", "children": [FIGURE]},
}

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
optional_text = st.none() | text
finite = st.floats(allow_nan=False, allow_infinity=False)
axes = st.builds(
    AxisSpec,
    st.sampled_from([kind for kind in ("auto", *AXIS_KINDS) if kind != "mercator"]),
    optional_text,
    optional_text,
    optional_text,
    st.none() | st.lists(text, max_size=3).map(tuple),
)
styles = st.fixed_dictionaries(
    {},
    optional={
        "color": st.sampled_from(["#00ff7F", "teal", "rgb(1 2 3 / 50%)"]),
        "root": st.just("full"),
        "line_width": st.none() | st.floats(0, 100, exclude_min=True) | st.integers(1, 100),
        "alpha": st.floats(0, 1),
        "line_dash": st.sampled_from(DASHES) | st.lists(st.integers(1, 200), min_size=1, max_size=20).map(tuple),
        "size": st.none() | st.floats(0, 100, exclude_min=True),
        "marker": st.sampled_from(MARKERS),
        "legend_label": optional_text,
        "filter": text,
    },
)
numbers = st.tuples(finite, finite).filter(lambda pair: pair[0] < pair[1])
stamps = st.tuples(st.integers(-(2**63), 0), st.integers(1, 2**63 - 1)).map(lambda pair: (str(pair[0]), str(pair[1])))
ranges = st.one_of(numbers, stamps, st.just((None, None)), finite.map(lambda end: (None, end))).map(
    lambda p: RangeSpec(*p)
)

basemaps = st.builds(
    BasemapSpec,
    st.sampled_from(["https://t.example/{z}/{x}/{y}{r}.png", "http://{s}.t.example:81/{y}/{x}/{z}?key=a;b"]),
    text.filter(str.strip),
    st.integers(0, 24),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    datasets = draw(st.lists(text, min_size=1, max_size=3, unique=True))
    names = ["x0", "y0", "shared"]
    named = {name: draw(ranges) for name in names}
    follow = draw(st.none() | st.builds(FollowSpec, st.floats(0, 1e307, exclude_min=True)))
    count = iter(range(1_000))

    def layer(figure: str, at: int) -> LayerSpec:
        glyph, how = draw(st.sampled_from(GLYPHS)), draw(st.sampled_from(HOWS))
        low, high = draw(st.none() | finite), draw(st.none() | finite)
        what = (draw(st.sampled_from(datasets)), glyph, draw(text), draw(text), "count", "fire", how, low, high)
        return LayerSpec(f"{figure}-{at}", *what, **draw(styles))

    def node(depth: int) -> Any:
        if depth == 0 or draw(st.booleans()):
            name = f"f{next(count)}"
            layers = tuple(layer(name, at) for at in range(draw(st.integers(0, 2))))
            size = draw(st.none() | st.integers(1, 65_536))
            places = [draw(st.sampled_from(names)) for _ in "xy"]
            aspect = draw(st.sampled_from([None, "locked"]))
            pair, below = (draw(axes), draw(axes)), None
            newest = follow if named[places[0]] == RangeSpec() and draw(st.booleans()) else None
            if draw(st.booleans()):
                pair, below = (AxisSpec("mercator"), AxisSpec("mercator")), draw(st.none() | basemaps)
                newest = None
            return FigureSpec(name, *places, draw(text), *pair, aspect, size, None, layers, below, newest)
        kind = draw(st.sampled_from(["row", "column", "grid"]))
        children = tuple(node(depth - 1) for _ in range(draw(st.integers(1, 3))))
        return LayoutSpec(f"l{next(count)}", kind, children, draw(st.integers(1, 9)) if kind == "grid" else None)

    return Document("d", draw(text), tuple(datasets), named, node(2), draw(st.booleans()))


@given(documents())
def test_there_and_back(document: Document):
    there = json.loads(json.dumps(document.to_json()))
    assert from_json(there) == document
    assert from_json(there).to_json() == there


def test_the_form_that_the_page_reads():
    assert from_json(DOCUMENT).to_json() == DOCUMENT


def changed(path: str, value: Any) -> dict:
    """The document with one place changed; a value of `...` removes it."""
    out = copy.deepcopy(DOCUMENT)
    at: Any = out
    *way, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    for key in way:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return out


F = "layout/children/0"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("extra", 1, "extra"),
        ("layout/extra", 1, "layout.extra"),
        ("layout/columns", 2, "layout.columns"),
        (f"{F}/extra", 1, "layout.children[0].extra"),
        (f"{F}/x_axis/extra", 1, "layout.children[0].x_axis.extra"),
        (f"{F}/layers/0/where", "x > 1", "layout.children[0].layers[0].where"),
        ("ranges/x0/mid", 1, "ranges.x0.mid"),
        ("format", 3, "format"),
        ("format", 0, "format"),
        ("format", 1.5, "format"),
        ("format", "2", "format"),
        ("format", True, "format"),
        ("format", ..., "format"),
        ("id", ..., "id"),
        ("id", "a/b", "id"),
        ("id", "metrics", "id"),
        ("title", 3, "title"),
        ("title", "x" * 10_001, "title"),
        ("title", "half \ud800", "title"),
        ("rows", 1, "rows"),
        ("datasets", "trips", "datasets"),
        ("datasets", ["trips", "trips"], "datasets"),
        ("datasets", [], "dataset"),
        ("ranges", [], "ranges"),
        ("ranges/x0/start", "1.5", "ranges.x0.start"),
        ("ranges/x0/start", float("nan"), "ranges.x0.start"),
        ("ranges/x0/start", True, "ranges.x0.start"),
        ("ranges/x0", {"start": 2, "end": 1}, "ranges.x0"),
        ("ranges/x0", {"start": "2", "end": "2"}, "ranges.x0"),
        ("ranges/x0", {"start": "1", "end": 2}, "ranges.x0"),
        ("ranges/x 0", {}, "ranges.x 0"),
        ("ranges/y0", ..., "y_range"),
        ("layout", 3, "layout"),
        ("layout/type", "tabs", "layout.titles"),
        ("layout/type", ..., "layout.type"),
        ("layout/type", "grid", "layout.columns"),
        ("layout/id", "f0", "id"),
        ("layout/children", [], "layout"),
        (f"{F}/id", "", "layout.children[0].id"),
        (f"{F}/id", "a b", "layout.children[0].id"),
        (f"{F}/width", 0, "layout.children[0].width"),
        (f"{F}/width", 10.5, "layout.children[0].width"),
        (f"{F}/height", True, "layout.children[0].height"),
        (f"{F}/aspect", "free", "layout.children[0].aspect"),
        (f"{F}/x_axis/kind", "sqrt", "layout.children[0].x_axis.kind"),
        (f"{F}/x_axis/kind", "mercator", "x_axis.kind"),
        (f"{F}/x_axis/categories", "ab", "layout.children[0].x_axis.categories"),
        (f"{F}/x_axis/categories", [1], "layout.children[0].x_axis.categories[0]"),
        (f"{F}/layers/0/id", "l0", "id"),
        (f"{F}/layers/0/dataset", "other", "dataset"),
        (f"{F}/layers/0/dataset", ..., "layout.children[0].layers[0].dataset"),
        (f"{F}/layers/0/glyph", "bars", "layout.children[0].layers[0].glyph"),
        (f"{F}/layers/0/cmap", "jet", "layout.children[0].layers[0].cmap"),
        (f"{F}/layers/0/how", None, "layout.children[0].layers[0].how"),
        (f"{F}/layers/0/low", "1", "layout.children[0].layers[0].low"),
        (f"{F}/layers/0/high", float("inf"), "layout.children[0].layers[0].high"),
        (f"{F}/layers/0/color", "url(x)", "layout.children[0].layers[0].color"),
        (f"{F}/layers/0/color", "#12345", "layout.children[0].layers[0].color"),
        (f"{F}/layers/0/root", "half", "layout.children[0].layers[0].root"),
        (f"{F}/layers/0/line_width", 0, "layout.children[0].layers[0].line_width"),
        (f"{F}/layers/0/line_width", 101, "layout.children[0].layers[0].line_width"),
        (f"{F}/layers/0/alpha", None, "layout.children[0].layers[0].alpha"),
        (f"{F}/layers/0/alpha", 1.1, "layout.children[0].layers[0].alpha"),
        (f"{F}/layers/0/line_dash", "dash", "layout.children[0].layers[0].line_dash"),
        (f"{F}/layers/0/line_dash", [], "layout.children[0].layers[0].line_dash"),
        (f"{F}/layers/0/line_dash", [0, 0], "layout.children[0].layers[0].line_dash"),
        (f"{F}/layers/0/line_dash", [2, -1], "layout.children[0].layers[0].line_dash[1]"),
        (f"{F}/layers/0/size", 0, "layout.children[0].layers[0].size"),
        (f"{F}/layers/0/size", 10**400, "layout.children[0].layers[0].size"),
        (f"{F}/layers/0/marker", "star", "layout.children[0].layers[0].marker"),
        (f"{F}/layers/0/legend_label", 3, "layout.children[0].layers[0].legend_label"),
        (f"{F}/layers/0/filter", None, "layout.children[0].layers[0].filter"),
    ],
)
def test_mistakes_are_told_with_their_place(path, value, field):
    with pytest.raises(BadInput) as error:
        from_json(changed(path, value))
    assert error.value.field == field and error.value.message


def test_figures_that_were_read_before_are_found_and_only_those():
    texts = [json.dumps(changed(f"{F}/layers/0/alpha", alpha)) for alpha in (1, 1.0)]
    first, other, again = (from_json(json.loads(text)).figures() for text in (texts[0], texts[1], texts[0]))
    assert first[0] == again[0] and all(now is then for now, then in zip(again, first, strict=True))
    assert type(first[0].layers[0].alpha) is int and type(other[0].layers[0].alpha) is float
    with pytest.raises(BadInput, match="alpha: expected a finite number, got True"):
        from_json(changed(f"{F}/layers/0/alpha", True))
    with pytest.raises(BadInput, match="title: expected a text"):
        from_json(changed(f"{F}/title", lambda: None))


def test_what_is_no_object():
    for value in (None, 1, "x", [], [DOCUMENT]):
        with pytest.raises(BadInput, match="expected an object"):
            from_json(value)


def test_keys_with_a_default_may_be_absent_in_figures_and_layers():
    short = copy.deepcopy(DOCUMENT)
    figure = short["layout"]["children"][0]
    for key in ("title", "x_axis", "y_axis", "aspect", "width", "height"):
        del figure[key]
    for key in ("cmap", "how", "low", "high", "color", "root", *NEW_IN_LAYERS):
        del figure["layers"][0][key]
    figure["title"] = "Trips"
    del short["rows"]
    assert from_json(short) == from_json(DOCUMENT)


def test_format_1_is_read_and_written_as_2():
    old = copy.deepcopy(DOCUMENT) | {"format": 1}
    del old["rows"]
    for key in NEW_IN_LAYERS:
        del old["layout"]["children"][0]["layers"][0][key]
    assert from_json(old).to_json() == DOCUMENT


def test_a_filter_is_written_only_where_there_is_one():
    path = f"{F}/layers/0/filter"
    assert from_json(changed(path, "")) == from_json(DOCUMENT) and from_json(changed(path, "")).to_json() == DOCUMENT
    filtered = changed(path, "fare > $least")
    assert from_json(filtered).to_json() == filtered


def test_a_newer_format_is_named_whatever_else_is_in_it():
    with pytest.raises(BadInput, match="formats 1 to 2, and this one has format 3: a newer bigviz"):
        from_json({"format": 3, "controls": {}})


@pytest.mark.parametrize("end", [2**53, 2**64 - 1, 10**20, 10**300])
def test_ends_beyond_a_double_are_read_again_as_they_were_written(end: int):
    there = from_json(changed("ranges/x0/end", end)).to_json()
    assert from_json(json.loads(json.dumps(there))).to_json() == there
    assert float(there["ranges"]["x0"]["end"]) == float(end)


def test_whole_numbers_may_be_written_with_a_point():
    assert from_json(changed(f"{F}/width", 400.0)) == from_json(changed(f"{F}/width", 400))


def test_layouts_do_not_nest_without_end():
    node: dict = FIGURE
    for at in range(40):
        node = {"id": f"l{at}", "type": "row", "children": [node]}
    with pytest.raises(BadInput, match="at most 32 deep"):
        from_json({**DOCUMENT, "layout": node})


@given(
    st.recursive(
        st.none() | st.booleans() | finite | text, lambda v: st.lists(v) | st.dictionaries(text, v), max_leaves=10
    )
)
def test_noise_raises_nothing_else(value):
    with pytest.raises(BadInput):
        from_json(value)
    for path in ("layout", F, f"{F}/layers/0", "ranges", "datasets"):
        try:
            from_json(changed(path, value))
        except BadInput as error:
            assert error.field is not None
