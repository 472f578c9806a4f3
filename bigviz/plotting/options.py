"""Bokeh's names for how glyphs and figures look, and what they are called here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import nearest
from bigviz.common.errors import BadInput

__all__ = ["FIGURE", "LINE", "MARKER", "named"]

LINE: Final = {
    "line_width": "line_width",
    "color": "color",
    "line_color": "color",
    "alpha": "alpha",
    "line_alpha": "alpha",
    "line_dash": "line_dash",
    "legend": "legend_label",
    "legend_label": "legend_label",
}
MARKER: Final = {
    "size": "size",
    "color": "color",
    "fill_color": "color",
    "line_color": "color",
    "alpha": "alpha",
    "fill_alpha": "alpha",
    "line_alpha": "alpha",
    "legend": "legend_label",
    "legend_label": "legend_label",
}
FIGURE: Final = {
    "title": "title",
    "plot_width": "width",
    "width": "width",
    "plot_height": "height",
    "height": "height",
    "x_axis_label": "x_label",
    "y_axis_label": "y_label",
    "x_axis_type": "x_axis_type",
    "y_axis_type": "y_axis_type",
    "x_range": "x_range",
    "y_range": "y_range",
}


def named(what: str, given: Mapping[str, Any], known: Mapping[str, str], more: Collection[str] = ()) -> dict[str, Any]:
    """The options under their names here; None is the default. `more` are further ones that `what` takes.

    Raises BadInput for an unknown option, listing the known ones, and for two that stand for one thing and differ.
    """
    found: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for name, value in given.items():
        if name not in known:
            names = sorted({*known, *more})
            guess = nearest(name, names)
            hint = f" Did you mean {guess}?" if guess else ""
            raise BadInput(f"{what} has no option {name!r}.{hint} It has {', '.join(names)}.", name, echoed(value, 60))
        if value is None:
            continue
        own = known[name]
        if own in found and found[own] != value:
            raise BadInput(
                f"{what} has one {own}: {origin[own]}={echoed(found[own], 60)} and {name}={echoed(value, 60)} differ.",
                name,
                echoed(value, 60),
            )
        found[own], origin[own] = value, name
    return found
