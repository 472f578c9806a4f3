"""From figures to documents."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput, NotFound, Unplottable
from bigviz.document.document import collected, document
from bigviz.document.figure import Range, figure, nanoseconds
from bigviz.document.json import from_json
from bigviz.document.layout import column, grid, row


def layers(made: bv.Document) -> list[tuple[str, str, str, str, str]]:
    return [(each.id, each.dataset, each.glyph, each.x, each.y) for _, each in made.layers()]


def test_one_figure(rows: bv.Dataset):
    made = document(figure(title="Trips & more").points(rows, "a", "b", agg=bv.mean("b"), cmap="bgy", how="log", low=1))
    assert (made.id, made.title, made.datasets) == ("trips-more", "Trips & more", ("rows",))
    assert made.sources["rows"] is rows
    (spec,) = made.figures()
    (layer,) = spec.layers
    assert (layer.agg, layer.cmap, layer.how, layer.low, layer.high) == ("mean(b)", "bgy", "log", 1, None)
    assert (spec.x_axis.kind, spec.y_axis.kind, spec.aspect) == ("linear", "linear", None)
    assert from_json(made.to_json()) == made


@pytest.mark.parametrize(
    "ends", [(2**62 + 5, 2**62 + 50), (0, 2**64 - 1), (-(2**63), None), (0, 2**53 - 1), (0.5, 2e20)]
)
def test_ranges_of_whole_numbers_keep_their_last_digit(rows: bv.Dataset, ends: tuple[float, float | None]):
    made = document(figure(x_range=ends).points(rows, "a", "b"))
    told = made.to_json()["ranges"]["x0"]
    assert [None if end is None else type(ends[0])(end) for end in told.values()] == list(ends)
    large = all(isinstance(end, int) for end in ends if end is not None) and max(abs(end or 0) for end in ends) >= 2**53
    assert all(end is None or isinstance(end, str) == large for end in told.values())
    assert from_json(made.to_json()) == made


def test_the_same_script_makes_the_same_document(rows: bv.Dataset, other: bv.Dataset):
    def script() -> bv.Document:
        first = figure(title="One").points(rows, "a", "b").line(other, "b", "a")
        second = figure(x_range=first.x_range).points(rows, "a", "b")
        return document(
            row(column(first, second), grid(figure(id="own").points(other, "a", "b"), columns=2)), title="T"
        )

    made = script()
    assert made.to_json() == script().to_json()
    assert [spec.id for spec in made.figures()] == ["f0", "f1", "own"]
    assert [(i, d) for i, d, *_ in layers(made)] == [
        ("f0-0", "rows"),
        ("f0-1", "rows-2"),
        ("f1-0", "rows"),
        ("own-0", "rows-2"),
    ]
    assert [spec.x_range for spec in made.figures()] == ["x0", "x0", "x2"]
    assert set(made.ranges) == {"x0", "y0", "y1", "x2", "y2"}
    assert made.layout.id == "l0" and [child.id for child in made.layout.children] == ["l1", "l2"]


def test_datasets_are_opened_once_by_object(rows: bv.Dataset):
    table = pa.table({"a": [1.0], "b": [2.0]})
    made = document(row(figure().points(table, "a", "b"), figure().points(table, "b", "a").points(rows, "a", "b")))
    assert made.datasets == ("table", "rows") and len(made.sources) == 2


def test_a_file_named_twice_is_opened_once(tmp_path):
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"a": [1.0], "b": [2.0]}), path)
    made = document(row(figure().points(str(path), "a", "b"), figure().points(str(path), "b", "a")))
    assert made.datasets == ("f",)


def test_columns_are_chosen_where_none_are_said(rows: bv.Dataset):
    assert layers(document(figure().line(rows)))[0][2:] == ("line", "when", "a")
    assert layers(document(figure().points(rows, y="b")))[0][2:] == ("points", "when", "b")


def test_columns_that_pandas_names_by_numbers_and_tuples():
    frame = pd.DataFrame([[1.0, 2.0, "a"], [2.0, 1.0, "b"]])
    frame.columns = pd.Index([0, ("v", "mean"), 2], dtype=object)
    plot = figure().points(frame, 0, ("v", "mean"), bv.by(2, bv.max(0))).line(frame, x=0)
    told = [(layer.x, layer.y, layer.agg) for _, layer in document(plot).layers()]
    assert told == [("0", "('v', 'mean')", "by(2, max(0))"), ("0", "('v', 'mean')", "any")]


def test_axes_of_times(rows: bv.Dataset):
    spec = document(figure(x_label="then", y_unit="m").line(rows, "when", "a")).figures()[0]
    assert (spec.x_axis.kind, spec.x_axis.zone, spec.x_axis.label) == ("datetime", "Europe/Paris", "then")
    assert (spec.y_axis.kind, spec.y_axis.zone, spec.y_axis.unit) == ("linear", None, "m")


def test_numbers_of_numpy_end_a_range(rows: bv.Dataset):
    made = document(figure(x_range=(np.int64(2), np.float32(2.5))).points(rows, "a", "b"))
    assert (made.ranges["x0"].start, made.ranges["x0"].end) == (2, 2.5)


def test_a_date_ends_no_range_of_numbers(rows: bv.Dataset):
    with pytest.raises(BadInput, match="Range x0 ends with a date, and its axis is linear"):
        document(figure(x_range=(date(2024, 1, 1), None)).points(rows, "a", "b"))


def test_a_text_that_is_no_path_names_a_dataset_of_the_server(rows: bv.Dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = document(figure().points("rows", "b", "a", "mean(b)").line(rows, "a", "b"), rows=True)
    assert (made.datasets, made.unbound, list(made.sources)) == (("rows", "rows-2"), ("rows",), ["rows-2"])
    assert made.rows and made.to_json()["rows"] is True


def test_axes_of_names_are_left_to_the_server(rows: bv.Dataset):
    made = document(figure(x_range=(date(2024, 1, 1), None)).points("trips", "when", "a"))
    assert made.figures()[0].x_axis.kind == "auto" and made.unbound == ("trips",)
    assert from_json(made.to_json()) == made
    assert made.ranges["x0"].start == "1704067200000000000"


def test_a_path_is_opened_whatever_it_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"a": [1.0], "b": [2.0]}), "trips")
    assert document(figure().points("trips", "a", "b")).unbound == ()
    assert document(figure().points("tr?ps", "a", "b")).unbound == ()
    for path in ("other.parquet", "./other", "other*", "s3:other", "a\\b"):
        with pytest.raises((NotFound, BadInput)):
            figure().points(path, "a", "b")


def test_of_a_named_dataset_columns_have_to_be_given():
    for x, y in ((None, None), ("a", None)):
        with pytest.raises(BadInput, match="There is no file 'trips', and of a server's dataset"):
            figure().points("trips", x, y)
    with pytest.raises(BadInput, match="address of the server itself"):
        figure().points("healthz", "a", "b")


def test_datasets_under_other_names(rows: bv.Dataset, other: bv.Dataset):
    made = document(row(figure().points(rows, "a", "b").points("trips", "x", "y"), figure().line(other, "a", "b")))
    moved = made.with_datasets({"rows": "up-1", "rows-2": "up-2"})
    assert (moved.datasets, moved.unbound) == (("up-1", "trips", "up-2"), ("trips",))
    assert [layer.dataset for _, layer in moved.layers()] == ["up-1", "trips", "up-2"]
    assert moved.sources == {"up-1": rows, "up-2": other}
    assert made.with_datasets({"rows": "same", "rows-2": "same"}).datasets == ("same", "trips")


def test_ranges_in_the_axis_own_terms(rows: bv.Dataset):
    start = datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    made = document(figure(x_range=(start, None), y_range=(0, 2.5)).line(rows, "when", "a"))
    assert (made.ranges["x0"].start, made.ranges["x0"].end) == ("1704063600000000000", None)
    assert (made.ranges["y0"].start, made.ranges["y0"].end) == (0, 2.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (7, 7),
        (datetime(1970, 1, 1, 0, 0, 1), 10**9),
        (datetime(1970, 1, 1, 0, 0, 1, 5, UTC), 1_000_005_000),
        (date(1970, 1, 2), 86_400 * 10**9),
        (np.datetime64(3, "ns"), 3),
        (np.datetime64(3, "s"), 3 * 10**9),
        (np.int64(4), 4),
    ],
)
def test_nanoseconds(value, expected):
    assert nanoseconds(value) == expected


def test_mercator_is_for_both_axes_and_locks_the_aspect(rows: bv.Dataset):
    both = figure(x_axis_type="mercator", y_axis_type="mercator").points(rows, "a", "b")
    assert document(both).figures()[0].aspect == "locked"
    with pytest.raises(BadInput, match="both axes or none"):
        document(figure(x_axis_type="mercator").points(rows, "a", "b"))


def test_times_and_numbers_do_not_share_an_axis(rows: bv.Dataset):
    with pytest.raises(BadInput, match="do not share an axis"):
        document(figure().line(rows, "when", "a").line(rows, "b", "a"))
    shared = Range()
    with pytest.raises(BadInput, match="shared by an axis of times"):
        document(row(figure(x_range=shared).line(rows, "when", "a"), figure(x_range=shared).points(rows, "a", "b")))
    for kind in ("linear", "log"):
        with pytest.raises(BadInput, match="holds times"):
            document(figure(x_axis_type=kind).line(rows, "when", "a"))
    with pytest.raises(BadInput, match="holds no times"):
        document(figure(x_axis_type="datetime").points(rows, "a", "b"))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda d: figure().points(d, "aa", "b"), NotFound, "'a'"),
        (lambda d: figure().points(d, "list", "b"), Unplottable, "list"),
        (lambda d: figure().points(d, "a", "b", agg="mean(wrd)"), NotFound, "word"),
        (lambda d: figure().points(d, "a", "b", agg="by(a)"), BadInput, "needs a column of labels"),
        (lambda d: figure().points(d, "a", "b", agg="mode(a)"), BadInput, "expected one of"),
        (lambda d: figure().points(3), BadInput, "int"),
        (lambda d: figure(x_axis_type="cubic"), BadInput, "linear, log"),
        (lambda d: figure(aspect="wide"), BadInput, "locked"),
        (lambda d: figure(x_range=3), BadInput, "pair"),
        (lambda d: figure(x_range=(1, 2, 3)), BadInput, "pair"),
        (lambda d: figure(x_range=(float("nan"), 1)), BadInput, "finite"),
        (lambda d: document(figure(x_range=(2, 1)).points(d, "a", "b")), BadInput, "not below"),
        (lambda d: document(figure(width=0)), BadInput, "width"),
        (lambda d: document(figure(), id="a/b"), BadInput, "slash"),
        (lambda d: document(row(figure(id="a"), figure(id="a"))), BadInput, "twice"),
        (lambda d: document(3), BadInput, "figure or a layout"),
        (lambda d: document(figure().line(d, "a", "b", color="red;")), BadInput, "colour"),
        (lambda d: document(figure().points(d, "a", "b", how="sqrt")), BadInput, "eq_hist"),
        (lambda d: figure().points(d, "a", "b", cmap="jet"), BadInput, "fire, bmy"),
        (lambda d: row(), BadInput, "at least one"),
        (lambda d: row(3), BadInput, "int"),
        (lambda d: grid(figure(), columns=0), BadInput, "at least 1 column"),
    ],
)
def test_mistakes(rows: bv.Dataset, call, error, match):
    with pytest.raises(error, match=match):
        call(rows)


def test_titles_become_one_word():
    assert document(figure()).id == "plot"
    assert document(row(figure(title="Zürich: Höhe / m"), figure(title="b"))).id == "zürich-höhe-m"
    assert document(figure(title="x"), title="y", id="z").title == "y"


def test_a_document_is_served_as_it_is_or_under_another_id(rows: bv.Dataset):
    with collected() as documents:
        made = document(figure(title="x").points(rows, "a", "b"))
        with collected() as inner:
            assert document(made) is made
        other = document(made, id="other")
    document(figure())
    assert other.id == "other" and other.layout is made.layout
    assert documents == [made, other] and inner == [made]


def test_a_document_is_frozen_again_with_another_title_and_rows(rows: bv.Dataset):
    made = document(figure(title="One").points(rows, "a", "b"), rows=True)
    other = document(made, title="Two")
    assert (other.title, other.rows, other.id) == ("Two", True, "one")
    assert document(made, rows=False).rows is False


def test_a_figure_that_is_shown_twice_has_an_id_at_each_place(rows: bv.Dataset):
    shown = bv.figure().points(rows, "a", "b")
    made = bv.document(bv.grid(shown, shown, bv.column(shown, bv.figure()), columns=2))
    assert [each.id for each in made.figures()] == ["f0", "f1", "f2", "f3"]
    assert [layer.id for _, layer in made.layers()] == ["f0-0", "f1-0", "f2-0"]
