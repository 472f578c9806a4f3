"""`select`, `slider`, `number` and the others: controls, which a layout holds beside its figures.

The value of a control is `$ID` in the filters of layers, and may be a whole column, reduction or colour map of one:
`figure.points(trips, "lon", "lat", agg=metric, filter="fare > $fare")`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from bigviz.common.errors import BadInput
from bigviz.data.given import given_list
from bigviz.document.controls.control import Control
from bigviz.document.controls.json import CONTROL_ID
from bigviz.document.figure import Figure

__all__ = [
    "button", "checkbox", "date_range", "markdown", "multiselect", "number", "radio", "range_slider", "select",
    "slider", "table", "text_input",
]  # fmt: skip

Day = date | str | None


def select(
    id: str, options: object, value: Any = None, label: str | None = None, *, column: str | None = None
) -> Control:
    """A list to choose one of.

    `options` are texts, numbers or truth values; a mapping is of what is written to the value:
    `{"Trips": "count", "Mean fare": "mean(fare)"}`. With `column`, `options` is a table, or whatever `bv.open` takes,
    and the choices are that column's labels, whole numbers or truth values, at most 4,096 of them. Without a `value`
    nothing is chosen, which filters take for every row. `label` is written at the control (default: its id).
    Raises BadInput.
    """
    return _of_options("select", id, options, value, label, column)


def multiselect(
    id: str, options: object, value: Sequence[Any] = (), label: str | None = None, *, column: str | None = None
) -> Control:
    """A list to choose any number of; in filters it is used with `in`: `kind in $kinds`. Else as `select`."""
    return _of_options("multiselect", id, options, _several(value), label, column)


def radio(
    id: str, options: object, value: Any = None, label: str | None = None, *, column: str | None = None
) -> Control:
    """Buttons of which one is pressed, at first that of `value` (default: the first option). Else as `select`."""
    return _of_options("radio", id, options, value, label, column)


def checkbox(id: str, value: bool = False, label: str | None = None) -> Control:
    """A box that is ticked or not; its value is true or false."""
    return _control("checkbox", id, label, value=value)


def slider(
    id: str,
    start: float,
    end: float,
    step: float | None = None,
    value: float | None = None,
    label: str | None = None,
) -> Control:
    """A number from `start` to `end`, at first `value` (default: `start`), in steps of `step` (default: as fine as
    suits the range)."""
    return _control("slider", id, label, start=start, end=end, step=step, value=value)


def range_slider(
    id: str,
    start: float,
    end: float,
    step: float | None = None,
    value: tuple[float, float] | None = None,
    label: str | None = None,
) -> Control:
    """Two numbers from `start` to `end`; in filters `fare between $fare`. Without a `value` it is the whole range, and
    filters keep rows outside of it too."""
    return _control("range", id, label, start=start, end=end, step=step, value=_several(value))


def date_range(
    id: str,
    start: Day = None,
    end: Day = None,
    value: tuple[Day, Day] | None = None,
    label: str | None = None,
) -> Control:
    """Two days, from the first until the end of the last; in filters `time between $days`. `start` and `end` are the
    earliest and latest that can be chosen. Days are dates or texts such as "2024-02-29". Without a `value` every day is
    chosen."""
    days: Any = _several(value)
    pair = [_day(each) for each in days] if isinstance(days, list) else days
    return _control("date_range", id, label, start=_day(start), end=_day(end), value=pair)


def text_input(id: str, value: str = "", label: str | None = None, *, placeholder: str = "") -> Control:
    """A line of text. An empty one is no value in filters."""
    return _control("text", id, label, value=value, placeholder=placeholder)


def button(id: str, label: str) -> Control:
    """A button for an app to act on."""
    return _control("button", id, label)


def table(id: str, figure: Figure, columns: Iterable[str] | None = None, label: str | None = None) -> Control:
    """The rows that are selected in a figure, in `columns` (default: all): sorted and paged."""
    if not isinstance(figure, Figure):
        raise BadInput(f"A table lists rows of a figure, got {type(figure).__name__}.", "figure")
    made = _control("table", id, label, columns=None if columns is None else given_list(columns, "columns", "columns"))
    made.figure = figure
    return made


def markdown(text: str, *, id: str | None = None) -> Control:
    """Words: paragraphs, `# headings`, lists, **bold**, *italics*, `code` and [links](https://example.org)."""
    return _control("markdown", id, None, text=text)


def number(
    id: str,
    expression: str,
    source: object,
    filter: str = "",
    label: str | None = None,
    *,
    unit: str | None = None,
) -> Control:
    """A live figure: `count()`, or `sum`, `mean`, `min` or `max` of a column, such as "mean(fare)", over the rows of a
    table, or whatever `bv.open` takes, that meet the expression `filter`. Exact, and kept up to date when a value in
    the filter or the data change. `unit` is written after it."""
    made = _control("number", id, label, expression=str(expression), filter=filter, unit=unit)
    made.source = source
    return made


def _of_options(kind: str, id: str, options: object, value: Any, label: str | None, column: str | None) -> Control:
    if column is not None:
        made = _control(kind, id, label, options={"column": str(column)}, value=value)
        made.source = options
        return made
    if isinstance(options, Mapping):
        listed: list[Any] = [{"value": each, "label": str(shown)} for shown, each in options.items()]
    else:
        listed = given_list(options, "options", "texts or numbers, or with column= a table")
    return _control(kind, id, label, options=[_plain(each) for each in listed], value=_plain(value))


def _control(type: str, id: str | None, label: str | None, **settings: Any) -> Control:
    if id is not None and (not isinstance(id, str) or not CONTROL_ID.fullmatch(id)):
        raise BadInput(
            f"The id of a control has 1 to 64 letters, digits and _, and does not begin with a digit, got {id!r}.",
            "id",
            repr(id),
        )
    if type != "markdown":
        settings["label"] = label
    return Control(type, id, {key: each for key, each in settings.items() if each is not None})


def _day(value: Day) -> str | None:
    return value.isoformat()[:10] if isinstance(value, date) else value


def _several(value: Any) -> Any:
    """A list of values; what is none (one number, a text) as it is, for the document to refuse."""
    listed = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", 1) > 0
    return [_plain(each) for each in value] if listed else value


def _plain(value: Any) -> Any:
    """A value of numpy as Python has it."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else value
