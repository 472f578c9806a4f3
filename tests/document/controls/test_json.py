"""Controls in documents: there and back, what they refer to, and errors that name them."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.document.controls.spec import ColumnOptions, ControlSpec, Option
from bigviz.document.json import from_json
from bigviz.document.spec import ControlNode, Document, LayoutSpec

from ...examples import examples
from ..test_json import DOCUMENT, FIGURE, LAYER, documents, finite, text

line = st.text(st.characters(categories=["L", "N", "P", "Zs"], include_characters=" "), max_size=8).filter(
    str.isprintable
)
labels = st.none() | line
values = line | st.booleans() | st.integers(-(2**53), 2**53) | finite
pairs = st.tuples(finite, finite).filter(lambda pair: pair[0] < pair[1])
days = st.dates().map(lambda day: f"{day.year:04}-{day.month:02}-{day.day:02}")


@st.composite
def of_options(draw: st.DrawFn, type_: Any) -> ControlSpec:
    found = draw(st.lists(values, min_size=1, max_size=4, unique_by=lambda each: (isinstance(each, bool), each)))
    options = tuple(Option(each, draw(labels)) for each in found)
    first = None if type_ == "select" else found[0]
    value = draw(st.sampled_from([first, *found]))
    if type_ == "multiselect":
        value = tuple(found[: draw(st.integers(0, len(found)))])
    return ControlSpec(type_, draw(labels), value, options)


@st.composite
def of_numbers(draw: st.DrawFn) -> ControlSpec:
    start, end = draw(pairs)
    step = draw(st.none() | st.floats(0, 1e9, exclude_min=True))
    if draw(st.booleans()):
        return ControlSpec("slider", draw(labels), draw(st.floats(start, end)), start=start, end=end, step=step)
    value = draw(st.none() | st.tuples(st.just(start), st.floats(start, end)))
    return ControlSpec("range", draw(labels), value, start=start, end=end, step=step)


@st.composite
def of_days(draw: st.DrawFn) -> ControlSpec:
    start, low, high, end = sorted(draw(st.lists(days, min_size=4, max_size=4, unique=True)))
    ends = draw(st.sampled_from([(None, None), (start, None), (None, end), (start, end)]))
    value = draw(st.sampled_from([None, (low, high), (low, low)]))
    return ControlSpec("date_range", draw(labels), value, start=ends[0], end=ends[1])


def controls(datasets: tuple[str, ...], figure: str) -> st.SearchStrategy[ControlSpec]:
    names = st.sampled_from(datasets)
    column = st.builds(ColumnOptions, names, text)
    return st.one_of(
        *(of_options(each) for each in ("select", "multiselect", "radio")),
        st.builds(ControlSpec, st.just("select"), labels, st.none(), column),
        st.builds(ControlSpec, st.just("checkbox"), labels, st.booleans()),
        of_numbers(),
        of_days(),
        st.builds(ControlSpec, st.just("text"), labels, line, placeholder=line),
        st.builds(ControlSpec, st.just("button"), line),
        st.builds(
            ControlSpec,
            st.just("table"),
            labels,
            figure=st.just(figure),
            columns=st.none() | st.lists(text, max_size=2).map(tuple),
        ),
        st.builds(ControlSpec, st.just("markdown"), text=text),
        st.builds(
            ControlSpec,
            st.just("number"),
            labels,
            dataset=names,
            expression=st.sampled_from(["count()", "mean(fare)"]),
            unit=labels,
        ),
    )


@st.composite
def with_controls(draw: st.DrawFn) -> Document:
    """A document with controls above it and, perhaps, in tabs."""
    made = draw(documents())
    kinds = controls(made.datasets, made.figures()[0].id)
    found = draw(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), kinds, min_size=1))
    named = iter(draw(st.permutations(list(found))))
    placed = tuple(ControlNode(each) for each in named if draw(st.booleans()))
    layout: Any = LayoutSpec("above", "column", (*placed, made.layout))
    if draw(st.booleans()):
        layout = LayoutSpec("tabs", "tabs", (layout,), titles=(draw(text),))
    return replace(made, layout=layout, controls=found)


@settings(max_examples=examples(25, fuzzed=100))
@given(with_controls())
def test_there_and_back(document: Document):
    there = json.loads(json.dumps(document.to_json()))
    assert from_json(there) == document
    assert from_json(there).to_json() == there


CONTROLS = {
    "metric": {"type": "select", "options": ["count", {"value": "mean(fare)", "label": "Mean fare"}], "value": "count"},
    "kinds": {"type": "multiselect", "options": {"dataset": "trips", "column": "kind"}},
    "fare": {"type": "slider", "start": 0, "end": 100},
    "go": {"type": "button", "label": "Go"},
    "rows": {"type": "table", "figure": "f0"},
    "n": {"type": "number", "dataset": "trips"},
}
PLACES = [{"type": "control", "control": name} for name in CONTROLS]
FULL = {
    **DOCUMENT,
    "controls": CONTROLS,
    "layout": {
        "id": "l0",
        "type": "column",
        "children": [*PLACES, {**FIGURE, "layers": [{**LAYER, "agg": "$metric"}]}],
    },
}


def test_a_document_without_controls_has_no_key():
    assert "controls" not in from_json({**DOCUMENT, "controls": {}}).to_json()


def test_what_is_left_out_is_written_out():
    made = from_json(FULL)
    assert made.controls["fare"].value == 0 and made.controls["kinds"].value == ()
    assert made.to_json()["controls"]["n"] == {
        "type": "number", "label": None, "dataset": "trips", "expression": "count()", "filter": "", "unit": None,
    }  # fmt: skip
    assert made.placed_controls() == list(CONTROLS)


def test_tabs_without_an_id_get_one_of_their_place():
    tabs = {"type": "tabs", "titles": ["A", "B"], "children": [FIGURE, {**FIGURE, "id": "f1", "layers": []}]}
    made = from_json({**DOCUMENT, "layout": {"id": "l0", "type": "row", "children": [tabs]}})
    assert made.layout.children[0].id == "tabs-0"
    assert [each.id for each in made.figures()] == ["f0", "f1"]
    assert from_json(made.to_json()) == made


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("controls", [], "controls"),
        ("controls/1a", {"type": "button", "label": "x"}, "controls.1a"),
        ("controls/a-b", {"type": "button", "label": "x"}, "controls.a-b"),
        ("controls/go/type", "knob", "controls.go.type"),
        ("controls/go/value", 1, "controls.go.value"),
        ("controls/go/label", None, "controls.go.label"),
        ("controls/go/label", "two\nlines", "controls.go.label"),
        ("controls/fare/start", ..., "controls.fare.start"),
        ("controls/fare/start", 100, "controls.fare.start"),
        ("controls/fare/step", 0, "controls.fare.step"),
        ("controls/fare/value", 101, "controls.fare.value"),
        ("controls/fare/value", True, "controls.fare.value"),
        ("controls/metric/options", [], "controls.metric.options"),
        ("controls/metric/options", ["count", "count"], "controls.metric.options"),
        ("controls/metric/options", [{"label": "x"}], "controls.metric.options[0].value"),
        ("controls/metric/value", "sum(fare)", "controls.metric.value"),
        ("controls/metric/value", None, "agg"),
        ("controls/metric/options", [1, "count"], "agg"),
        ("controls/metric", ..., "control"),
        ("controls/kinds/options", {"dataset": "others", "column": "kind"}, "dataset"),
        ("controls/kinds/options", {"dataset": "trips"}, "controls.kinds.options.column"),
        ("controls/kinds/value", "taxi", "controls.kinds.value"),
        ("controls/n/dataset", "others", "dataset"),
        ("controls/n/expression", "median(fare)", "controls.n.expression"),
        ("controls/rows/figure", "f9", "figure"),
        ("layout/children/0/control", "none", "control"),
        ("layout/children/0/control", "fare", "control"),
        ("layout/children/0/id", "c0", "layout.children[0].id"),
        ("layout/children/6/layers/0/agg", "$fare", "agg"),
        ("layout/children/6/layers/0/agg", "$none", "agg"),
        ("layout/children/6/layers/0/how", "$metric", "how"),
        ("layout/children/6/layers/0/cmap", "$metric", "cmap"),
        ("layout/children/0", {"type": "tabs", "titles": ["A"], "children": []}, "layout.children[0].titles"),
        ("layout/children/0", {"type": "tabs", "titles": [], "children": []}, "layout.children[0].titles"),
    ],
)
def test_what_makes_no_sense_is_refused(path: str, value: Any, field: str):
    with pytest.raises(BadInput) as told:
        from_json(changed(path, value))
    assert told.value.field == field


def changed(path: str, value: Any) -> dict[str, Any]:
    """The full document with one place changed; a value of `...` removes it."""
    out = copy.deepcopy(FULL)
    at: Any = out
    *way, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    for key in way:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return out


def test_errors_name_the_control():
    with pytest.raises(BadInput, match="'fare': expected a number from 0 to 100, got 101"):
        from_json(changed("controls/fare/value", 101))
    with pytest.raises(BadInput, match=r"^controls\.n\.expression: reduction 'median\(fare\)'"):
        from_json(changed("controls/n/expression", "median(fare)"))


def test_a_column_may_be_called_as_a_control_would_be():
    made = from_json(
        {**DOCUMENT, "layout": {**DOCUMENT["layout"], "children": [{**FIGURE, "layers": [{**LAYER, "x": "$x"}]}]}}
    )
    assert made.layers()[0][1].x == "$x"
