"""`bigviz.show`: in a notebook's kernel, without anywidget, and elsewhere."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.export.widget import show as module
from bigviz.export.widget.plot_widget import PlotWidget
from bigviz.plotting import Figure, figure

TABLE = pa.table({"x": [1.0, 2.0], "y": [1.0, 4.0]})


class Shell:
    """What is asked of IPython in a kernel: the message that it executes."""

    kernel = object()

    def __init__(self) -> None:
        self.run(1, "cell-1")

    def run(self, number: int, cell: str | None) -> None:
        self.parent = {"header": {"msg_id": f"m{number}"}, "metadata": {} if cell is None else {"cellId": cell}}

    def get_parent(self) -> dict[str, Any]:
        return self.parent


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell, ipython = Shell(), ModuleType("IPython")
    monkeypatch.setattr(ipython, "get_ipython", lambda: shell, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(module, "_of_cells", {})
    return shell


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is put into the output of cells."""
    seen: list[Any] = []
    monkeypatch.setattr(sys.modules[PlotWidget.__module__], "display", lambda data, metadata, raw: seen.append(data))
    return seen


def plot() -> bv.Figure:
    return bv.figure(title="Plot").points(TABLE, "x", "y")


def test_outside_of_a_notebook_values_are_text_and_show_serves(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    served: list[Any] = []
    monkeypatch.setattr(module, "serve", served.append)
    figure = plot()
    assert figure._repr_mimebundle_() == {} == bv.document(figure)._repr_mimebundle_()
    bv.show(figure)
    assert served == [figure]


def bokehs() -> Figure:
    made = figure(plot_width=400, plot_height=400)
    made.line([1, 2, 3], [6, 7, 2], line_width=2)
    return made


@pytest.mark.parametrize("root", [plot, bokehs, lambda: bv.row(plot(), plot()), lambda: bv.document(plot())])
def test_a_cells_value_is_a_widget(shell: Shell, root: Any):
    data, _ = root()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_figure_without_glyphs_is_text():
    assert figure()._repr_mimebundle_() == {}


def test_show_displays_once_and_again_in_a_later_cell(shell: Shell, displayed: list[Any]):
    widget = bv.show(plot(), height=300)
    assert widget.height == 300 and len(displayed) == 1
    widget._ipython_display_()
    assert len(displayed) == 1, "the value of the cell that shows it"
    shell.run(2, "cell-2")
    widget._ipython_display_()
    assert len(displayed) == 2


def test_a_cell_that_is_run_again_closes_what_it_showed(shell: Shell, displayed: list[Any]):
    one, two = bv.show(plot()), bv.show(plot())
    shell.run(2, "cell-2")
    other = bv.show(plot())
    shell.run(3, "cell-1")
    again = bv.show(plot())
    assert [each.comm is None for each in (one, two, other, again)] == [True, True, False, False]
    shell.run(4, None)
    assert bv.show(plot()).comm is not None


def test_without_anywidget_one_sentence_says_what_to_do(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    advice = "pip install 'bigviz\\[notebook\\]'"
    with pytest.raises(ImportError, match=advice):
        bv.show(plot())
    assert advice.replace("\\", "") in plot()._repr_mimebundle_()["text/plain"]


def test_datasets_of_a_server_are_not_here(shell: Shell):
    with pytest.raises(bv.NotFound):
        bv.show(bv.figure().points("trips", "x", "y"))


def test_the_height_follows_the_layout(shell: Shell, displayed: list[Any]):
    high = bv.figure(height=300).points(TABLE, "x", "y")
    assert bv.show(high).height == 396
    assert bv.show(bv.row(high, plot())).height == 460
    assert bv.show(bv.column(high, plot())).height == 856
    assert bv.show(bv.grid(high, high, high, columns=2)).height == 792
    assert bv.show(bv.column(*[plot()] * 1, bv.column(*[plot() for _ in range(9)]))).height == 2_000
