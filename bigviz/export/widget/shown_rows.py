"""The true rows of what a page shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from bigviz.common.errors import BadInput
from bigviz.document.spec import Document
from bigviz.server.access.principal import Principal
from bigviz.server.request_values import whole, window_of
from bigviz.server.site import Site

__all__ = ["shown_rows"]

_OPERATOR: Final = Principal("", None, True, kind="operator")


async def shown_rows(
    site: Site, document: Document, views: Sequence[Mapping[str, Any]], figure: int | str, layer: int, limit: int
) -> pa.Table:
    """At most `limit` rows within a figure's view, as `rows.arrow` has them, of the columns that are drawn there now.

    Raises BadInput for a figure or a layer that the document does not have, and for a limit that is too large.
    """
    limit = whole(limit, "limit", 1, site.limits.rows)
    figures = document.figures()
    index = _index(figure, [each.id for each in figures], "figure")
    layers = figures[index].layers
    _index(layer, [each.id for each in layers], "layer")
    view = views[index]
    asked_of = {key: value for key, value in view["layers"][layer].items() if isinstance(value, str)}
    number = sum(len(each.layers) for each in figures[:index]) + layer
    backend = await site.backend()
    asked = backend.asked(document, number, asked_of.get)
    ends = {f"{side}{k}": end for side in ("x", "y") for k, end in enumerate(view[side]["ends"])}
    for side, is_time in zip(("x", "y"), asked.times, strict=True):
        if is_time:
            ends |= _whole_ends(side, ends)
    x, y = window_of(ends.get, asked.times)
    _, body = await site.bodies.rows(backend, _OPERATOR, asked, (*x, *y), limit)
    return pa.ipc.open_file(body).read_all()


def _index(which: int | str, ids: Sequence[str], field: str) -> int:
    if isinstance(which, str) and which in ids:
        return ids.index(which)
    if isinstance(which, int) and not isinstance(which, bool) and 0 <= which < len(ids):
        return which
    raise BadInput(f"{field} is one of {', '.join(ids)}, or a number below {len(ids)}, got {which!r}.", field, which)


def _whole_ends(side: str, ends: Mapping[str, str]) -> dict[str, str]:
    """Times are whole nanoseconds; those between the ends are the same."""
    return {each: str(math.ceil(Decimal(ends[each]))) for each in (f"{side}0", f"{side}1")}
