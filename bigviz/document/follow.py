"""Figures whose x axis follows the newest data: how long a part of it they show, and what they may not say besides."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bigviz.common.errors import BadInput
from bigviz.document.json_values import between, instance, one_of, wrong
from bigviz.document.spec import FollowSpec

if TYPE_CHECKING:
    from bigviz.aggregate.layer_options import AxisKind
    from bigviz.document.spec import Document, FigureSpec

__all__ = ["LONGEST", "Window", "check_follow", "figure_follow", "follow", "follow_hint", "followed_kind"]

Window = float | int | str | timedelta | np.timedelta64

LONGEST: Final = 1e307
_SECOND: Final = 1_000_000_000
_UNITS: Final = {
    "ns": 1, "us": 1_000, "ms": 1_000_000, "s": _SECOND, "min": 60 * _SECOND, "h": 3_600 * _SECOND,
    "d": 86_400 * _SECOND, "w": 7 * 86_400 * _SECOND,
}  # fmt: skip
_DURATION: Final = re.compile(rf"\s*(\d+(?:\.\d*)?|\.\d+)\s*({'|'.join(_UNITS)})\s*")
_TIME: Final = 'a length of time such as "60s"'
_WANTED: Final = 'a number above 0, or of times a length such as "60s", "5 min", "1h" or a timedelta'
_READERS: Final = {"axis": one_of(("x",)), "window": between(0, LONGEST, above=True)}


def follow(value: Any, path: str) -> FollowSpec:
    """The reader of a figure's `follow`. Raises BadInput."""
    return instance(FollowSpec, _READERS, value, path)


def followed_kind(window: Window, kind: AxisKind | None, figure: str) -> AxisKind:
    """The kind of the x axis of a figure that follows so long a window, where None leaves it open: a length of time is
    one of an axis of times, and a number of any other. So that the columns of a server's dataset are checked against it
    too, when the document is published. Raises BadInput for a kind that does not go with the window."""
    is_time = isinstance(window, str | timedelta | np.timedelta64)
    if kind is not None and is_time != (kind == "datetime"):
        wanted = "a number in units of the axis" if is_time else _TIME
        raise BadInput(
            f"Figure {figure} follows for {window!r}, and its x axis is {kind}: give {wanted}.", "follow", repr(window)
        )
    return "datetime" if is_time else (kind or "linear")


def figure_follow(window: Window) -> FollowSpec:
    """What `bigviz.figure(follow=window)` shows: a number in axis units, or a length of time, which is in nanoseconds
    then. Raises BadInput."""
    length: float
    if isinstance(window, np.timedelta64):
        length = int(window.astype("timedelta64[ns]").astype(np.int64))
    elif isinstance(window, timedelta):
        length = round(window / timedelta(microseconds=1) * 1_000)
    elif isinstance(window, str):
        found = _DURATION.fullmatch(window)
        length = round(float(found[1]) * _UNITS[found[2]]) if found else math.nan
    elif isinstance(window, np.integer | np.floating):
        length = window.item()
    else:
        length = math.nan if isinstance(window, bool) or not isinstance(window, int | float) else window
    if not 0 < length <= LONGEST:
        raise wrong("follow", _WANTED, window)
    return FollowSpec(length)


def follow_hint(holds_times: bool) -> str:
    """What to say of a window where the column of an axis turns out to hold times, or none."""
    return f" It follows its newest part: give {_TIME if holds_times else 'a number in units of the axis'} as follow."


def check_follow(document: Document) -> None:
    """Refuses a figure that follows the newest data and also says where it is, or whose axes are those of a map, and
    linked figures that follow it in windows of several lengths. Raises BadInput."""
    windows: dict[str, tuple[FigureSpec, float]] = {}
    for figure in document.figures():
        if figure.follow is None:
            continue
        if figure.x_axis.kind == "mercator":
            raise BadInput(f"Figure {figure.id}: the axes of a map cannot follow the newest data.", "follow")
        shown = document.ranges[figure.x_range]
        if shown.start is not None or shown.end is not None:
            raise BadInput(
                f"Figure {figure.id} follows the newest data, so its x range {figure.x_range!r} has no start and end.",
                "follow",
            )
        other, window = windows.setdefault(figure.x_range, (figure, figure.follow.window))
        if window != figure.follow.window:
            raise BadInput(
                f"Figures {other.id} and {figure.id} share the range {figure.x_range!r} and follow the newest data in "
                f"windows of two lengths, {window} and {figure.follow.window}.",
                "follow",
            )
