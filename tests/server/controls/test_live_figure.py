"""Documents with controls, served: live figures, layers with values in them, and what a page is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.server.documents.opened import Shown
from bigviz.server.jobs.layer_ref import named_columns
from bigviz.server.jobs.usage import Usage

from ..running import Running, running
from ..wire import Browser


@pytest.fixture(scope="module")
def trips() -> pa.Table:
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "x": rng.normal(size=5_000),
            "y": rng.normal(size=5_000),
            "fare": rng.gamma(2.0, 6.0, 5_000),
            "kind": rng.choice(["bus", "taxi", "van"], 5_000),
            "day": pa.array(rng.integers(0, 10, 5_000) * 86_400_000 + 3_600_000, pa.timestamp("ms")),
        }
    )


@pytest.fixture(scope="module")
def served(trips: pa.Table) -> Iterator[Running]:
    table = bv.open(trips, name="trips")
    metric = bv.select("metric", ["count", "mean(fare)"], "count")
    kinds = bv.multiselect("kinds", table, column="kind")
    colours = bv.radio("colours", ["fire", "viridis"])
    least = bv.slider("least", 0, 100)
    days = bv.date_range("days")
    kept = "fare >= $least and kind in $kinds and day between $days"
    figure = bv.figure(title="Trips").points(table, "x", "y", agg=metric, cmap=colours, filter=kept)
    number = bv.number("n", "count()", table, kept)
    mean = bv.number("mean", "mean(fare)", table, kept, unit="USD")
    with running([bv.document(bv.column(metric, kinds, colours, least, days, number, mean, figure), id="d")]) as found:
        yield found


def with_values(**values: object) -> str:
    return "&".join(f"p.{name}={quote(json.dumps(value))}" for name, value in values.items())


def value_of(served: Running, control: str, **values: object) -> object:
    answer = served.get(f"/d/controls/{control}.json?{with_values(**values)}")
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["value"]


def test_a_live_figure_is_of_the_rows_that_its_filter_keeps(served: Running, trips: pa.Table):
    fare, kind = trips["fare"].to_numpy(), np.array(trips["kind"].to_pylist())
    assert value_of(served, "n") == 5_000
    assert value_of(served, "n", least=12.5) == int((fare >= 12.5).sum())
    kept = (fare >= 3) & np.isin(kind, ["bus", "van"])
    assert value_of(served, "mean", least=3, kinds=["bus", "van"]) == pytest.approx(fare[kept].mean(), rel=1e-12)
    assert value_of(served, "n", least=100) == 0 and value_of(served, "mean", least=100) is None


def test_a_range_of_dates_has_its_last_day(served: Running, trips: pa.Table):
    days = trips["day"].to_numpy().astype("datetime64[D]")
    kept = (days >= np.datetime64("1970-01-03")) & (days <= np.datetime64("1970-01-05"))
    assert value_of(served, "n", days=["1970-01-03", "1970-01-05"]) == int(kept.sum())


def test_the_error_of_a_figure_names_no_column_that_the_caller_may_not_use(
    served: Running, monkeypatch: pytest.MonkeyPatch
):
    site = served.server.site
    assert site is not None
    assert served.get("/d/controls/mean.json").status == 200
    shown = site.tables._shown["d"]
    other = bv.open({"x": [1.0], "secret": [2.0]}, name="trips")
    document = replace(shown.document, sources=dict.fromkeys(shown.document.sources, other))
    bare = Shown(replace(shown.opened, document=document), Usage({"trips": frozenset({"x", "fare"})}))
    monkeypatch.setattr(site.tables, "shown", lambda document: bare)
    answer = served.get("/d/controls/mean.json")
    assert answer.status >= 400 and b"secret" not in answer.body
    assert "cannot be used like that" in json.loads(answer.body)["error"]


def test_a_known_figure_is_not_sent_again(served: Running):
    first = served.get("/d/controls/n.json?p.least=3")
    again = served.get("/d/controls/n.json?p.least=3", **{"If-None-Match": first.headers["Etag"]})
    assert again.status == 304
    assert served.get("/d/controls/n.json?p.least=4").headers["Etag"] != first.headers["Etag"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("p.least=101", "least"),
        ("p.least=%22a%22", "least"),
        ("p.least=1&p.least=2", "p.least"),
        ("p.least={", "least"),
        ("p.kinds=[%22tram%22]", "kinds"),
        ("p.metric=%22sum(fare)%22", "metric"),
        ("p.days=[%221970-01-05%22,%221970-01-03%22]", "days"),
        ("p.n=1", "n"),
    ],
)
def test_a_wrong_value_names_its_control(served: Running, query: str, field: str):
    for path in ("/d/controls/n.json", "/d/layers/0/tilejson.json"):
        answer = served.get(f"{path}?{query}")
        assert answer.status == 400 and json.loads(answer.body)["field"] == field


def test_other_controls_are_no_live_figures(served: Running):
    for name in ("least", "none"):
        assert served.get(f"/d/controls/{name}.json").status == 404


def test_a_layer_takes_values(served: Running):
    plain = served.get("/d/layers/0/tilejson.json")
    mean = served.get(f"/d/layers/0/tilejson.json?{with_values(metric='mean(fare)')}")
    assert json.loads(plain.body)["reduction"] == "count"
    assert json.loads(mean.body)["reduction"] == "mean(fare)"
    assert plain.headers["Etag"] != mean.headers["Etag"]
    picture = "/d/layers/0/tiles/0/0/0.png"
    assert served.get(picture).body == served.get(f"{picture}?{with_values(colours='fire')}").body
    assert served.get(picture).body != served.get(f"{picture}?{with_values(colours='viridis')}").body


def test_guests_may_use_the_columns_of_every_option(served: Running):
    (document,) = served.server.site.documents.opened
    assert named_columns(document, "trips") == {"x", "y", "fare", "kind", "day"}


def test_a_page_is_told_the_options_of_columns(served: Running):
    with Browser(served.url, "d") as browser:
        assert browser.hello.value["options"] == {"kinds": {"options": ["bus", "taxi", "van"], "more": False}}
        assert next(iter(browser.hello.value["document"]["controls"])) == "metric"


def test_definitions_take_values(served: Running):
    with Browser(served.url, "d") as browser:
        assert browser.layer(agg="$metric", filter="").value["reduction"] == "count"
        values = {"metric": "mean(fare)", "least": 12.5}
        found = browser.layer(agg="$metric", filter="fare >= $least", values=values).value
        assert found["reduction"] == "mean(fare)"
        wrong = browser.layer(agg="$metric", values={"metric": "no"}).value
        assert wrong["field"] == "metric" and "'metric'" in wrong["error"]
