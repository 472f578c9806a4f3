"""`bigviz.show`, and what stands in a cell whose value is a figure, a layout or a document."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from bigviz.document.bind import require_bound
from bigviz.document.document import as_document
from bigviz.document.figure import Figure
from bigviz.document.layout import Box
from bigviz.document.spec import ControlNode, Document, FigureSpec
from bigviz.export.widget.kernel import execution, is_kernel
from bigviz.server.run.serve import serve

if TYPE_CHECKING:
    from bigviz.export.widget.plot_widget import PlotWidget

__all__ = ["mimebundle", "show"]

_ADVICE: Final = "A plot in a notebook needs anywidget: pip install 'bigviz[notebook]', and start the kernel again."
_FIGURE: Final = 460  # CSS pixels; with a height of its own a figure has so many more for its title and buttons
_FRAME: Final = 96
_CONTROL: Final = 64
_MOST: Final = 2_000

_of_cells: dict[str, tuple[str, list[PlotWidget]]] = {}  # by cell: its last run, and the plots it made


def show(root: Figure | Box | Document, *, height: int | None = None) -> Any:
    """Show a figure, a layout or a document in the output of a notebook's cell; the widget tells what is in view.

    `height` is in CSS pixels (default: by the layout). The widget has `ranges`, {figure: {"x": (low, high), "y": (low,
    high)}}, `rows()`, and `close()`. A plot is closed when its cell is run again. Needs anywidget (`pip install
    'bigviz[notebook]'`), and no server: ImportError says so. Outside of a notebook this is `bigviz.serve(root)`.
    """
    if not is_kernel():
        return serve(root)
    widget = _widget(root, height)
    widget.show()
    return widget


def mimebundle(root: Figure | Box | Document) -> Any:
    """What a notebook shows for a cell's value: a widget, or how to install what it needs; {} outside of notebooks,
    which show its text then."""
    if not is_kernel():
        return {}
    if not _can_show():
        return {"text/plain": f"{root!r}\n{_ADVICE}"}
    return _widget(root, None).bundle()


def _can_show() -> bool:
    return find_spec("anywidget") is not None


def _widget(root: Figure | Box | Document, height: int | None) -> PlotWidget:
    if not _can_show():
        raise ImportError(_ADVICE, name="anywidget")
    made = as_document(root)
    require_bound(made)
    home = import_module("bigviz.export.widget.plot_widget")  # it needs anywidget, which is no need of bigviz
    widget: PlotWidget = home.PlotWidget(made, height or min(_MOST, _height(made.layout)))
    _keep(widget)
    return widget


def _keep(widget: PlotWidget) -> None:
    """Close what the same cell showed when it was run before: its output is gone, and nothing else would end it."""
    now = execution()
    if now is None or now.cell is None:
        return
    run, widgets = _of_cells.get(now.cell, ("", []))
    if run != now.id:
        for each in widgets:
            each.close()
        widgets = []
    _of_cells[now.cell] = now.id, [*widgets, widget]


def _height(node: Any) -> int:
    """CSS pixels for a layout: figures have their own height, or one that suits a cell."""
    if isinstance(node, FigureSpec):
        return _FIGURE if node.height is None else node.height + _FRAME
    if isinstance(node, ControlNode):
        return _CONTROL
    each = [_height(child) for child in node.children]
    if node.type in ("row", "tabs"):
        return max(each) + (_CONTROL if node.type == "tabs" else 0)
    if node.type == "grid":
        return sum(max(each[at : at + node.columns]) for at in range(0, len(each), node.columns))
    return sum(each)
