"""`output_server`, `show`, `cursession`: what is on the server after each."""

from __future__ import annotations

import json

import pytest

import bigviz as bv
from bigviz.apps.script import run_script
from bigviz.plotting import ColumnDataSource, Session, cursession, figure, output_server, session, show

from ..fetch import fetched
from ..server.running import Running
from ..server.wire import Browser

X, Y = [1, 2, 3, 4, 5], [6, 7, 2, 4, 5]


def rows(address: str, layer: int = 0) -> int:
    return json.loads(fetched(f"{address}layers/{layer}/tilejson.json"))["rows"]


def test_show_publishes_to_its_owner_and_opens_the_page(plots: Running, opened: list[str]):
    output_server("line")
    p = figure(plot_width=400, plot_height=400)
    p.line(X, Y, line_width=2)
    address = show(p)
    assert address == f"{plots.url}line/" and opened == [address] and rows(address) == 5
    server = bv.connect()
    (entry,) = server.documents()
    assert (entry["name"], entry["public"], entry["version"]) == ("line", False, 1)
    (shown,) = server.open("line").figures()
    assert (shown.width, shown.height, shown.layers[0].line_width) == (400, 400, 2)
    assert [each["name"] for each in server.datasets()] == ["line.1"]
    show(p)
    assert server.documents()[0]["version"] == 1


def test_publish_stores_what_was_not_shown_and_lets_all_see_it(plots: Running):
    output_server("myplot")
    first, second = figure(title="One"), figure(title="Two")
    first.line(X, Y)
    show(first)
    second.circle(X, Y)
    address = cursession().publish()
    assert address == f"{plots.url}myplot/"
    document = bv.connect().open("myplot")
    assert [each.title for each in document.figures()] == ["One", "Two"]
    assert bv.connect().documents()[0]["public"] is True
    assert document.datasets == ("myplot.1", "myplot.2") and rows(address, 1) == 5


def test_a_script_that_runs_again_begins_anew(plots: Running):
    for ys in (Y, Y[::-1]):
        output_server("line")
        p = figure()
        p.line(X, ys)
        show(p)
    assert len(bv.connect().open("line").figures()) == 1
    (dataset,) = bv.connect().datasets()
    assert (dataset["name"], dataset["version"]) == ("line.1", 2)
    assert bv.connect().documents()[0]["version"] == 1


def test_stored_data_comes_to_open_pages_and_makes_no_version(plots: Running):
    output_server("animated")
    p = figure()
    p.line(X, Y, name="ex_line")
    show(p)
    ds = p.select({"name": "ex_line"})[0].data_source
    with Browser(plots.url, "animated") as browser:
        assert browser.layer().value["range"] == [1, 2, 5, 7]
        for version, top in ((2, 70), (3, 700)):
            ds.data["y"][0] = top
            cursession().store_objects(ds)
            told = browser.take()
            dataset = {"dataset": "animated.ex_line", "version": version, "rows": 5, "time": None, "age": None}
            assert told.value == dataset
            assert browser.layer().value["range"][3] == top
    ds.data["y"][0] = 7000
    cursession().store_objects(p)
    cursession().store_objects(p.renderers[0])
    entry = bv.connect().documents()[0]
    assert entry["version"] == 1 and bv.connect().datasets()[0]["version"] == 4


def test_two_figures_of_one_source_share_its_dataset(plots: Running):
    output_server("two")
    source = ColumnDataSource({"t": X, "a": Y, "b": Y[::-1]})
    first, second = figure(), figure()
    first.line("t", "a", source=source, name="both")
    second.circle("t", "b", source=source)
    cursession().publish()
    assert bv.connect().open("two").datasets == ("two.both",)
    source.data["a"].append(1)
    with pytest.raises(bv.BadInput, match="equally long, got: t has 5, a has 6, b has 5"):
        cursession().store_objects(source)


def test_a_layout_of_bigviz_is_shown_too(plots: Running):
    output_server("layout")
    plot = bv.figure().points({"x": X, "y": Y}, x="x", y="y")
    assert rows(show(bv.column(plot))) == 5
    assert bv.connect().datasets()[0]["name"].startswith("table.")


def test_what_is_not_there_yet_is_told(plots: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session, "_session", None)
    p = figure()
    p.line(X, Y)
    with pytest.raises(bv.BadInput, match=r"call output_server\(name\) first"):
        show(p)
    output_server("line")
    with pytest.raises(bv.BadInput, match="nothing to publish yet"):
        cursession().publish()
    with pytest.raises(bv.BadInput, match="in no figure that was shown"):
        cursession().store_objects(p)
    with pytest.raises(bv.BadInput, match="takes sources, glyphs and figures"):
        cursession().store_objects([1, 2])  # type: ignore[arg-type]
    with pytest.raises(bv.BadInput, match="show takes a figure or a layout"):
        show([1, 2])  # type: ignore[arg-type]
    with pytest.raises(bv.BadInput, match="new is one of tab, window, same"):
        show(p, new="frame")
    with pytest.raises(bv.BadInput, match="address of the server itself"):
        output_server("_")
    show(p)
    p.renderers[0].data_source.data["x"].reverse()
    with pytest.raises(bv.BadInput, match="x goes back from 5 to 4"):
        cursession().store_objects(p)


def test_bigviz_runs_such_a_script_without_a_server(tmp_path, opened: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BIGVIZ_URL", "http://127.0.0.1:1")
    script = tmp_path / "app.py"
    script.write_text(
        "from bigviz.plotting import figure, output_server, show\n"
        "output_server('line')\np = figure()\np.line([1, 2], [3, 4])\nshow(p)\n"
    )
    made, _ = run_script(str(script))
    assert made.id == "line" and not made.unbound and opened == []


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "--private-window"])
def test_only_web_addresses_are_opened(
    plots: Running, opened: list[str], address: str, monkeypatch: pytest.MonkeyPatch
):
    output_server("line")
    p = figure()
    p.line(X, Y)
    monkeypatch.setattr(Session, "store", lambda self, plot: address)
    with pytest.raises(bv.BadInput, match="is not opened"):
        show(p)
    assert opened == []


def test_a_browser_that_is_not_there(plots: Running):
    output_server("line")
    p = figure()
    p.line(X, Y)
    with pytest.raises(bv.BadInput, match="There is no browser 'netscape-4' here: http"):
        show(p, browser="netscape-4")
