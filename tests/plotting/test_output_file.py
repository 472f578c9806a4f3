"""`output_file` and `save`: pages in files, as Bokeh's scripts write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import bigviz as bv
from bigviz.apps.script import run_script
from bigviz.plotting import cursession, figure, file, output_file, output_server, save, session, show

from ..server.running import Running

X, Y = [1, 2, 3, 4, 5], [6, 7, 2, 4, 5]


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No output, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(file, "_file", None)
    monkeypatch.setattr(session, "_session", None)
    yield


def test_show_writes_the_file_and_opens_it(tmp_path: Path, opened: list[str]) -> None:
    output_file("line.html", title="A line & more")
    p = figure(plot_width=400, plot_height=400)
    p.line(X, Y, line_width=2)
    assert show(p) == "line.html"
    assert opened == [(tmp_path / "line.html").as_uri()]
    assert "<title>A line &amp; more</title>" in Path("line.html").read_text("utf-8")


def test_save_writes_and_opens_nothing(opened: list[str]) -> None:
    p = figure(title="One")
    p.line(X, Y)
    with pytest.raises(bv.BadInput, match=r"call output_file\(name\) first"):
        save(p)
    assert save(p, "one.html") == "one.html" and Path("one.html").is_file()
    output_file("all.html")
    with pytest.raises(bv.BadInput, match="nothing to save yet"):
        save()
    figure(title="Two").line(X, Y)
    figure(title="Three").scatter(X, Y)
    assert save() == "all.html" and opened == []
    with pytest.raises(bv.BadInput, match="save takes a figure or a layout"):
        save([1, 2])  # type: ignore[arg-type]
    with pytest.raises(bv.BadInput, match="the name of a file"):
        output_file("")


def test_after_both_calls_both_happen(plots: Running, opened: list[str]) -> None:
    output_server("line")
    output_file("line.html")
    p = figure()
    p.line(X, Y)
    address = show(p)
    assert address.startswith(plots.url) and Path("line.html").is_file() and len(opened) == 2
    assert cursession().publish() == address


def test_bigviz_takes_the_document_of_such_a_script(tmp_path: Path, opened: list[str]) -> None:
    script = tmp_path / "app.py"
    script.write_text(
        "from bigviz.plotting import figure, output_file, show\n"
        "output_file('line.html')\np = figure()\np.line([1, 2], [3, 4])\nshow(p)\n"
    )
    made, _ = run_script(str(script))
    assert made.id == "line" and not made.unbound and opened == [] and not Path("line.html").exists()
