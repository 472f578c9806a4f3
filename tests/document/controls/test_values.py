"""Which values controls take, and what filters and layers get of them."""

from __future__ import annotations

from typing import Any

import pytest

import bigviz as bv
from bigviz.common.errors import BadInput
from bigviz.document.controls import values
from bigviz.document.controls.bound import control_columns
from bigviz.document.controls.settled import settled
from bigviz.document.controls.spec import ColumnOptions
from bigviz.document.controls.values import (
    all_values,
    check_values,
    column_options,
    filter_values,
    initial_values,
)
from bigviz.document.filter_text import bound_filter
from bigviz.document.spec import Document

KEPT = "fare between $fare and kind in $kinds and time between $days and starts_with(kind, $word) and fare >= $least"


@pytest.fixture(scope="module")
def plot() -> Document:
    table = bv.open(
        {"x": [1.0, 2.0, 3.0], "fare": [1.0, 20.0, 30.0], "kind": ["b", "a", "b"], "n": [3, 10, 3],
         "ok": [True, False, True], "time": ["2024-01-01", "2024-01-02", "2024-01-03"], "secret": [1, 2, 3]},
        name="t",
    )  # fmt: skip
    metric = bv.select("metric", {"Rows": "count", "Mean": "mean(fare)"}, "count")
    controls = (
        metric, bv.multiselect("kinds", table, column="kind"), bv.select("n", table, column="n"),
        bv.radio("ok", table, column="ok"), bv.checkbox("only"), bv.slider("least", 0, 50),
        bv.range_slider("fare", 0, 50), bv.date_range("days", "2024-01-01"), bv.text_input("word"),
        bv.button("go", "Go"), bv.markdown("words", id="words"), bv.number("sum", "sum(n)", table, "fare > $least"),
    )  # fmt: skip
    figure = bv.figure().points(table, "x", "fare", agg=metric, filter=KEPT.replace("time between $days and ", ""))
    return bv.document(bv.row(bv.column(*controls), bv.tabs({"A": figure})), id="d")


def test_values_at_first(plot: Document):
    assert initial_values(plot) == {
        "metric": "count", "kinds": [], "n": None, "ok": None, "only": False, "least": 0, "fare": None, "days": None,
        "word": "",
    }  # fmt: skip
    assert all_values(plot, {"least": 5})["least"] == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metric", "mean(fare)"), ("kinds", ["b", "a"]), ("kinds", []), ("n", 10), ("ok", True), ("only", True),
        ("least", 0), ("least", 50.0), ("fare", [0, 50]), ("fare", [3, 3]), ("fare", None),
        ("days", ["2024-02-29", "2024-02-29"]), ("word", "taxi"), ("word", ""), ("go", 3), ("n", None),
    ],
)  # fmt: skip
def test_values_that_controls_take(plot: Document, name: str, value: Any):
    assert check_values(plot, {name: value}) == {name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("metric", "sum(fare)"), ("metric", 1), ("kinds", "a"), ("kinds", ["c"]), ("kinds", ["a", "a"]), ("n", "10"),
        ("n", True), ("n", 4), ("ok", 1), ("ok", "true"), ("only", 1), ("only", "true"), ("least", -1), ("least", 51),
        ("least", True), ("least", "5"), ("least", float("nan")), ("fare", [1]), ("fare", [2, 1]), ("fare", [0, 51]),
        ("fare", 3), ("days", ["2024-01-02", "2024-01-01"]), ("days", ["2023-12-31", "2024-01-01"]),
        ("days", ["2024-02-30", "2024-03-01"]), ("days", ["2024-01-01"]), ("word", "two\nlines"), ("word", 3),
        ("go", -1), ("go", True), ("words", "x"), ("sum", 1), ("none", 1),
    ],
)  # fmt: skip
def test_values_that_they_do_not_take_name_them(plot: Document, name: str, value: Any):
    with pytest.raises(BadInput, match=f"'{name}'") as told:
        check_values(plot, {name: value})
    assert told.value.field == name


def test_values_are_an_object(plot: Document):
    with pytest.raises(BadInput, match="object of values"):
        check_values(plot, [])


def test_options_of_columns_are_in_order_and_of_their_type(plot: Document):
    assert column_options(plot, ColumnOptions("t", "n")) == ([3, 10], False)
    assert column_options(plot, ColumnOptions("t", "kind")) == (["a", "b"], False)
    assert column_options(plot, ColumnOptions("t", "ok")) == ([False, True], False)


def test_filters_get_no_value_of_an_empty_text_and_whole_days(plot: Document):
    given = all_values(plot, {"days": ["2024-01-01", "2024-01-02"]})
    found = filter_values(plot, given)
    assert found["word"] is None and found["days"] == ["2024-01-01", "2024-01-02T23:59:59.999999999"]
    assert bound_filter(plot, KEPT, initial_values(plot)) == "fare >= 0"
    assert bound_filter(plot, "fare between $fare", given) == ""
    assert bound_filter(plot, "$word", {**given, "word": "fare > 3"}) == "fare > 3"
    assert bound_filter(plot, "$word", given) == bound_filter(plot, " ", values) == ""
    assert "'2024-01-02T23:59:59.999999999'" in bound_filter(plot, "time between $days", given)


def test_the_columns_that_controls_name_are_those_that_a_guest_may_use(plot: Document):
    assert control_columns(plot, "t") == {"kind", "n", "ok", "fare"}


def test_a_settled_document_has_the_values_and_no_controls_but_words(plot: Document):
    made = settled(plot)
    ((_, layer),) = made.layers()
    assert (layer.agg, layer.filter) == ("count", "fare >= 0")
    assert list(made.controls) == ["words"] and made.placed_controls() == ["words"]
    assert bv.load(made.to_json()) == made and settled(made) == made


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), float("inf"), 1e308])
def test_numbers_that_no_slider_has(plot: Document, value: float):
    for name, given in (("least", value), ("fare", [0, value]), ("fare", [value, 50])):
        with pytest.raises(BadInput) as caught:
            check_values(plot, {name: given})
        assert caught.value.field == name


def test_a_long_list_of_a_columns_values_is_looked_up_in_one_table(monkeypatch: pytest.MonkeyPatch):
    """Each value looked for among all options kept an event loop busy for seconds."""
    labels = [f"v{k:04d}" for k in range(4_096)]
    table = bv.open({"x": range(4_096), "kind": labels}, name="t")
    figure = bv.figure().points(table, "x", "x")
    found = bv.document(bv.row(bv.multiselect("kinds", table, column="kind"), figure), id="d")
    calls, read = [], values.column_options
    monkeypatch.setattr(values, "column_options", lambda *which: calls.append(which) or read(*which))
    assert check_values(found, {"kinds": labels[::-1]}) == {"kinds": labels[::-1]}
    assert len(calls) == 1
    for wrong in (["v0000", "v0000"], ["v0000", "nope"], [["v0000"]], [{}], [None], [0], ["v0000"] * 4_097):
        with pytest.raises(BadInput):
            check_values(found, {"kinds": wrong})


@pytest.mark.parametrize(
    "make",
    [
        lambda: bv.range_slider("fare", 0, 50, value=5), lambda: bv.range_slider("fare", 0, 50, value="ab"),
        lambda: bv.multiselect("fare", [1, 2], 1), lambda: bv.multiselect("fare", ["x", "y"], "x"),
        lambda: bv.date_range("fare", value="2024-01-01"), lambda: bv.date_range("fare", value=5),
    ],
)  # fmt: skip
def test_one_value_in_the_place_of_several_names_the_control(make: Any):
    figure = bv.figure().points({"x": [1.0], "y": [2.0]}, "x", "y")
    with pytest.raises(BadInput, match="fare"):
        bv.document(bv.column(make(), figure))


def test_a_control_that_is_not_in_the_layout_is_told_so():
    for named in ({"filter": "x > $leest"}, {"agg": "$leest"}):
        figure = bv.figure().points({"x": [1.0], "y": [2.0]}, "x", "y", **named)
        with pytest.raises(BadInput, match=r"in the layout\. Did you mean 'least'"):
            bv.document(bv.column(bv.slider("least", 0, 1), figure))
