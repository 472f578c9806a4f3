"""An image of a window from rows in Morton order: those of the window are read, one after the other, as they lie.

Neighbours in the order are neighbours in the image, so what is written stays in the caches.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.image_parts import part_count
from bigviz.aggregate.glyphs.place_points import Places
from bigviz.aggregate.reductions.base import Planes
from bigviz.aggregate.reductions.extremes import Extreme
from bigviz.aggregate.reductions.tally import PlanesTally, Tally, tally
from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.tiles.answers.ordered.counted_image import counted_image
from bigviz.tiles.answers.ordered.key_places import pixels_a_code
from bigviz.tiles.answers.ordered.pixel_nodes import Nodes, nodes_of, run_count
from bigviz.tiles.answers.ordered.placed_rows import PlacedRows
from bigviz.tiles.answers.ordered.runs import BLOCK, Runs
from bigviz.tiles.grid.pixel_edges import pixel_edges
from bigviz.tiles.morton.order import Order
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.pyramid import Pyramid

__all__ = ["image_nodes", "ordered_planes"]

Array = npt.NDArray[Any]

_MANY: Final = 1 << 17  # rows of an image that pay for a look at how closely they lie
_SAMPLES: Final = 64
_SAMPLE: Final = 256  # rows of each
_CLOSE: Final = 32.0  # rows of a node, on an average, that take longer one by one


def image_nodes(order: Order, runs: Runs, x_bins: Bins, y_bins: Bins) -> Nodes | None:
    """The squares of the order by which an image is drawn; None where they hold few rows each, or are not known."""
    if runs.rows < _MANY:
        return None
    none = np.empty(0, np.int64)
    roots = order.survey.x, order.survey.y
    most = max(pixels_a_code(root, bins) for root, bins in zip(roots, (x_bins, y_bins), strict=True))
    bits = min(max(-math.frexp(math.nextafter(most, 0.0))[1], 0), 31)
    if _rows_a_node(order, runs, 2 * bits) < _CLOSE:  # about so; the edges of pixels take longer to find
        return None
    x, y = (
        pixel_edges(root, bins, order.numbers(which, none).dtype)
        for which, (root, bins) in enumerate(zip(roots, (x_bins, y_bins), strict=True))
    )
    nodes = None if x is None or y is None else nodes_of(x, y, x_bins.size * y_bins.size)
    return nodes if nodes is not None and _rows_a_node(order, runs, nodes.shift) >= _CLOSE else None


def _rows_a_node(order: Order, runs: Runs, shift: int) -> float:
    """About how many rows follow each other in a square, told by stretches of them."""
    ends = np.cumsum(runs.high - runs.low)
    places = np.arange(_SAMPLES) * (runs.rows // _SAMPLES)
    at = np.searchsorted(ends, places, "right")
    low = runs.high[at] - (ends[at] - places)
    high = np.minimum(low + _SAMPLE, runs.high[at])
    order.guard.keys.open(low, high)
    return float((high - low).sum() / run_count(order.guard.keys.array, frozen(low), frozen(high), shift))


def ordered_planes(
    order: Order,
    inputs: Inputs,
    runs: Runs,
    x_bins: Bins,
    y_bins: Bins,
    nodes: Nodes | None,
    pyramid: Pyramid,
    threads: int,
    cancel: Cancel,
) -> Planes | None:
    """The planes of an image of the rows of some ranges of an order, those within the window; far rows are not among
    them. `nodes` are its squares, if `image_nodes` has some, and `pyramid` is that of `inputs`.

    Each part of the rows is added into planes of its own, on `threads` threads, and these are combined in the order of
    the parts. Where the order of additions shows in the last bits, it is one of Morton codes, and the number of parts
    follows from rows and cells alone. None where the first of equal values decides, which only rows in file order
    tell: 0 and -0, under `min` and `max`.
    """
    reduction = inputs.reduction
    labels = len(inputs.labels or ())
    cells = x_bins.size * y_bins.size * max(labels, 1)
    if not reduction.columns and reduction.traits.total in ("sum", "any"):
        placed, counts_them = PlacedRows(order, Places(x_bins, y_bins, -1), 0), reduction.traits.counts
        counts = counted_image(placed, pyramid if counts_them else None, nodes, runs, threads, cancel)
        return (counts if counts_them else (counts > 0).view(np.uint8),)
    count = part_count(runs.rows, cells, reduction, threads)
    found: list[Planes | None] = [None] * count
    parts = runs.parts(count)
    narrow = inputs.own == np.float32

    def take(part: int) -> int:
        shape = y_bins.size, x_bins.size
        tallied: Tally
        if parts[part].rows < shape[0] * shape[1]:
            tallied = PlanesTally(reduction.create(shape, inputs.dtype, labels, cancel.check), reduction)
        else:
            tallied = tally(reduction, shape, inputs.dtype, labels, narrow, cancel.check)
        placed = PlacedRows(order, Places(x_bins, y_bins, tallied.outside), BLOCK, nodes)
        if _add(inputs, parts[part], tallied, placed, cancel):
            found[part] = tallied.planes()
        return parts[part].rows

    Crew(min(threads, count), cancel=cancel).run("drawing rows", take, range(count), runs.rows)
    planes = found[0]
    for others in found[1:]:
        if planes is None or others is None:
            return None
        reduction.combine(planes, others)
    return planes


def _add(inputs: Inputs, runs: Runs, tallied: Tally, placed: PlacedRows, cancel: Cancel) -> bool:
    """Add the rows of some ranges; False where they cannot be added in any order."""
    ties = isinstance(inputs.reduction.plane, Extreme) and inputs.own.kind == "f"
    left: list[Array] = []
    for start, stop in runs.blocks():
        cancel.check()
        rows = inputs.rows(slice(start, stop))
        if ties and rows.values is not None and (np.signbit(rows.values) & (rows.values == 0)).any():
            return False
        cells, unknown = placed.by_keys(start, stop)
        tallied.add(cells, rows)
        left.append(unknown)
        if sum(map(len, left)) >= BLOCK:
            _add_left(placed, inputs, left, tallied)
    _add_left(placed, inputs, left, tallied)
    return True


def _add_left(placed: PlacedRows, inputs: Inputs, left: list[Array], tallied: Tally) -> None:
    """Add the rows that their keys did not tell the cells of, and forget them."""
    positions = np.concatenate([np.empty(0, np.int64), *left])
    left.clear()
    for start in range(0, len(positions), BLOCK):
        part = positions[start : start + BLOCK]
        tallied.add(placed.by_numbers(part), inputs.rows(part))
