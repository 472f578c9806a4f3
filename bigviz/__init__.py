"""A plot server for tables of a billion rows: open by path, pan, zoom and hover in the browser, exactly.

The public names. They are looked up when they are first used, so that `import bigviz` and `bigviz --help` load neither
numpy nor numba.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bigviz.aggregate.reductions.api import any as any
    from bigviz.aggregate.reductions.api import by as by
    from bigviz.aggregate.reductions.api import count as count
    from bigviz.aggregate.reductions.api import count_cat as count_cat
    from bigviz.aggregate.reductions.api import first as first
    from bigviz.aggregate.reductions.api import last as last
    from bigviz.aggregate.reductions.api import max as max
    from bigviz.aggregate.reductions.api import mean as mean
    from bigviz.aggregate.reductions.api import min as min
    from bigviz.aggregate.reductions.api import sum as sum
    from bigviz.client.connect import Connection as Connection
    from bigviz.client.connect import connect as connect
    from bigviz.client.embed import embed as embed
    from bigviz.common.errors import BadInput as BadInput
    from bigviz.common.errors import BigvizError as BigvizError
    from bigviz.common.errors import Busy as Busy
    from bigviz.common.errors import Cancelled as Cancelled
    from bigviz.common.errors import Conflict as Conflict
    from bigviz.common.errors import Forbidden as Forbidden
    from bigviz.common.errors import Gone as Gone
    from bigviz.common.errors import NoSpace as NoSpace
    from bigviz.common.errors import NotFound as NotFound
    from bigviz.common.errors import OutOfDate as OutOfDate
    from bigviz.common.errors import TooLarge as TooLarge
    from bigviz.common.errors import TooMany as TooMany
    from bigviz.common.errors import Unauthorized as Unauthorized
    from bigviz.common.errors import Unplottable as Unplottable
    from bigviz.common.errors import Unreadable as Unreadable
    from bigviz.data.dataset import Dataset as Dataset
    from bigviz.data.open import open as open
    from bigviz.document.controls.constructors import button as button
    from bigviz.document.controls.constructors import checkbox as checkbox
    from bigviz.document.controls.constructors import date_range as date_range
    from bigviz.document.controls.constructors import markdown as markdown
    from bigviz.document.controls.constructors import multiselect as multiselect
    from bigviz.document.controls.constructors import number as number
    from bigviz.document.controls.constructors import radio as radio
    from bigviz.document.controls.constructors import range_slider as range_slider
    from bigviz.document.controls.constructors import select as select
    from bigviz.document.controls.constructors import slider as slider
    from bigviz.document.controls.constructors import table as table
    from bigviz.document.controls.constructors import text_input as text_input
    from bigviz.document.controls.handlers import on_close as on_close
    from bigviz.document.controls.handlers import on_open as on_open
    from bigviz.document.document import document as document
    from bigviz.document.figure import Figure as Figure
    from bigviz.document.figure import figure as figure
    from bigviz.document.layout import column as column
    from bigviz.document.layout import grid as grid
    from bigviz.document.layout import link as link
    from bigviz.document.layout import row as row
    from bigviz.document.layout import tabs as tabs
    from bigviz.document.load import load as load
    from bigviz.document.spec import Document as Document
    from bigviz.export.widget.show import show as show
    from bigviz.server.run.serve import serve as serve
    from bigviz.tiles.canvas import Canvas as Canvas

_HOMES = {
    "bigviz.aggregate.reductions.api": (
        "any", "by", "count", "count_cat", "first", "last", "max", "mean", "min", "sum",
    ),
    "bigviz.client.connect": ("Connection", "connect"),
    "bigviz.client.embed": ("embed",),
    "bigviz.data.dataset": ("Dataset",),
    "bigviz.common.errors": (
        "BadInput", "BigvizError", "Busy", "Cancelled", "Conflict", "Forbidden", "Gone", "NoSpace", "NotFound",
        "OutOfDate", "TooLarge", "TooMany", "Unauthorized", "Unplottable", "Unreadable",
    ),
    "bigviz.data.open": ("open",),
    "bigviz.document.controls.constructors": (
        "button", "checkbox", "date_range", "markdown", "multiselect", "number", "radio", "range_slider", "select",
        "slider", "table", "text_input",
    ),
    "bigviz.document.document": ("document",),
    "bigviz.document.figure": ("Figure", "figure"),
    "bigviz.document.controls.handlers": ("on_close", "on_open"),
    "bigviz.document.layout": ("column", "grid", "link", "row", "tabs"),
    "bigviz.document.load": ("load",),
    "bigviz.document.spec": ("Document",),
    "bigviz.export.widget.show": ("show",),
    "bigviz.server.run.serve": ("serve",),
    "bigviz.tiles.canvas": ("Canvas",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bigviz' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
