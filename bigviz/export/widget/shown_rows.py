"""The true rows of what a page shows: all in view, or one under the pointer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from bigviz.common.errors import BadInput, NotFound
from bigviz.document.spec import Document
from bigviz.export.widget.channel import OPERATOR
from bigviz.server.jobs.wanted import RowsWanted
from bigviz.server.request_values import whole, window_of
from bigviz.server.site import Site

__all__ = ["row_json_at", "shown_rows"]

_ROW: Final = re.compile(r"layers/([0-9]{1,9})/rows/([0-9]{1,12})\.json")


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
    _, body = await site.bodies.rows(backend, OPERATOR, asked, RowsWanted((*x, *y), limit))
    return pa.ipc.open_file(body).read_all()


async def row_json_at(site: Site, document: Document, address: str) -> bytes:
    """The JSON of `layers/L/rows/N.json`, an address below the document's; NotFound for any other."""
    found = _ROW.fullmatch(address)
    layers, number = len(document.layers()), int(found[1]) if found else 0
    if found is None or number >= layers:
        raise NotFound(f"A cell answers layers/L/rows/N.json with L below {layers}, got {address[:100]!r}.", "address")
    backend = await site.backend()
    asked = backend.asked(document, number, lambda name: None)
    row, rows = int(found[2]), asked.dataset.num_rows
    if row >= rows:
        raise NotFound(f"There is no row {row:,}: {asked.dataset.name!r} has {rows:,} rows, from 0.", "row", row)
    columns = tuple(each.name for each in asked.dataset.columns())
    return bytes((await site.bodies.row(backend, OPERATOR, asked, row, columns))[1])


def _index(which: int | str, ids: Sequence[str], field: str) -> int:
    if isinstance(which, str) and which in ids:
        return ids.index(which)
    if isinstance(which, int) and not isinstance(which, bool) and 0 <= which < len(ids):
        return which
    raise BadInput(f"{field} is one of {', '.join(ids)}, or a number below {len(ids)}, got {which!r}.", field, which)


def _whole_ends(side: str, ends: Mapping[str, str]) -> dict[str, str]:
    """Times are whole nanoseconds; those between the ends are the same."""
    return {each: str(math.ceil(Decimal(ends[each]))) for each in (f"{side}0", f"{side}1")}
