"""What a request selects, and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.common.web.safe_numbers import finite
from bigviz.data.columns.column import own_name
from bigviz.data.dataset import Dataset
from bigviz.server.jobs.usage import Usage
from bigviz.server.request_values import interval, number
from bigviz.tiles.interface import Lasso, Number, Rectangle, Region, Selection, Strip, Summary

__all__ = ["SelectionRequest", "read_region", "read_selection", "selection_answer"]

_SHAPES: Final = ("box", "lasso", "range")
_LONGEST_PAGE: Final = 64


@dataclass(frozen=True)
class SelectionRequest:
    """A shape, what is to be told of the rows in it, and the name of the page that asks ("": none)."""

    shape: Region
    stats: tuple[str, ...]
    by: str | None
    page: str = field(default="", compare=False)


def read_selection(body: Mapping[str, Any], times: tuple[bool, bool], dataset: str, usage: Usage) -> SelectionRequest:
    """What a body selects. `times` tells which axes are of nanoseconds. Raises BadInput, and Forbidden for columns that
    the caller may not use."""
    given = [name for name in _SHAPES if body[name] is not None]
    if len(given) != 1:
        field = given[-1] if given else "box"
        raise BadInput(f"One of box, lasso and range is needed, got {', '.join(given) or 'none'}.", field)
    shape = read_region(given[0], body[given[0]], times)
    stats, by = body["stats"], body["by"]
    if not isinstance(stats, list) or not all(isinstance(each, str) for each in stats):
        raise BadInput(f"stats is a list of columns, got {echoed(stats, 60)}.", "stats", echoed(stats, 60))
    if by is not None and not isinstance(by, str):
        raise BadInput(f"by is a column, got {echoed(by, 60)}.", "by", echoed(by, 60))
    named = [("stats", own_name(each)) for each in stats] + ([] if by is None else [("by", own_name(by))])
    usage.check(dataset, named)
    page = body["page"]
    if not isinstance(page, str) or len(page) > _LONGEST_PAGE:
        raise BadInput(f"page is a text of at most {_LONGEST_PAGE} characters, got {echoed(page, 60)}.", "page")
    return SelectionRequest(shape, tuple(dict.fromkeys(stats)), by, page)


def read_region(name: str, value: Any, times: tuple[bool, bool]) -> Region:
    """The shape of a body's `box`, `range` or `lasso`. Raises BadInput."""
    if name == "lasso":
        return _lasso(value, times)
    count = 4 if name == "box" else 2
    if not isinstance(value, list) or len(value) != count:
        ends = "[x0, y0, x1, y1]" if name == "box" else "[x0, x1]"
        raise BadInput(f"{name} is {ends}, got {echoed(value, 60)}.", name, echoed(value, 60))
    if name == "range":
        return Strip(interval(dict(zip(("x0", "x1"), value, strict=True)).get, "x0", "x1", time=times[0]))
    get = dict(zip(("x0", "y0", "x1", "y1"), value, strict=True)).get
    return Rectangle(interval(get, "x0", "x1", time=times[0]), interval(get, "y0", "y1", time=times[1]))


def _lasso(value: Any, times: tuple[bool, bool]) -> Lasso:
    if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 2 for each in value):
        raise BadInput(f"lasso is a list of points [x, y], got {echoed(value, 60)}.", "lasso", echoed(value, 60))
    return Lasso.of([(number(x, "lasso", time=times[0]), number(y, "lasso", time=times[1])) for x, y in value])


def selection_answer(dataset: Dataset, selection: Selection, by: str | None) -> dict[str, Any]:
    """`{rows, stats, by, expression, version}`: numbers as JSON has them; times, and integers from 2^53 on, as decimal
    text; null for what is no finite number."""
    times = {name: dataset.info(name).is_time for name in selection.stats}
    groups = None
    if selection.groups is not None:
        groups = [
            {"label": group.label, "rows": group.count, "stats": _stats(group.stats, times)}
            for group in selection.groups
        ]
    return {
        "rows": selection.count,
        "stats": _stats(selection.stats, times),
        "by": None if groups is None else {"column": by, "groups": groups},
        "expression": selection.expression,
        "version": dataset.version,
    }


def _stats(stats: Mapping[str, Summary], times: Mapping[str, bool]) -> dict[str, dict[str, Any]]:
    return {name: _summary(each, times[name]) for name, each in stats.items()}


def _summary(summary: Summary, time: bool) -> dict[str, Any]:
    names = ("mean", "min", "max", "q25", "median", "q75")
    return {"count": summary.count, **{name: _number(getattr(summary, name), time) for name in names}}


def _number(value: Number | None, time: bool) -> Number | str | None:
    return str(value) if time and isinstance(value, int) else finite(value)
