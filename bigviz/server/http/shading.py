"""The colours that a query requests, from its parameters and the published layer's style."""

from __future__ import annotations

from collections.abc import Callable

from bigviz.common.errors import BadInput
from bigviz.document.spec import HOWS, LayerSpec
from bigviz.render.colormaps import canonical
from bigviz.render.shade import Shading
from bigviz.server.request_values import choice, optional_number

__all__ = ["read_shading"]


def read_shading(style: LayerSpec, get: Callable[[str], str | None]) -> Shading:
    """The published style with what a query says instead: cmap, how, low, high."""
    cmap, how = get("cmap"), get("how")
    low, high = optional_number(get("low"), "low"), optional_number(get("high"), "high")
    shading = Shading(
        canonical(style.cmap if cmap is None else cmap),
        style.how if how is None else choice(how, "how", HOWS),
        style.low if low is None else low,
        style.high if high is None else high,
    )
    if shading.low is not None and shading.high is not None and not shading.low < shading.high:
        raise BadInput(f"low = {shading.low!r} is not below high = {shading.high!r}.", "low", repr(shading.low))
    return shading
