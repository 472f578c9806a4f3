"""What is known of a layer of bars: its y axis is of the reduction's values, not of a column's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bigviz.aggregate.dyadic_cells import root_of
from bigviz.aggregate.layer import Layer
from bigviz.data.columns.column import ColumnInfo, Kind
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.grid.window import Number

__all__ = ["heights_of", "with_heights"]


def heights_of(bars: Bars) -> tuple[Number, Number] | None:
    """From the foot to the top of bars, stacked under `by`, as numbers of the y axis; None without a value.

    The foot is 0, or the lowest value below it; on a log axis 1, or the lowest value if that is less.
    """
    heights, filled = bars.heights
    if not filled.any():
        return None
    if bars.spaces[1].forward is not None:  # logarithms are not added up
        stacked, _ = bars.spaces[1].map(bars.values.sum(axis=0, dtype=np.float64), None)
        shown = stacked[np.isfinite(stacked)]
        return min(0.0, float(shown.min())), max(float(shown.max()), 1.0)
    tops = [0, *np.where(heights > 0, heights, 0).sum(axis=0).tolist()]
    feet = [0, *np.where(heights < 0, heights, 0).sum(axis=0).tolist()]
    return min(feet), max(tops)


def with_heights(facts: LayerInfo, layer: Layer, bars: Bars, categories: tuple[str, ...] | None) -> LayerInfo:
    """The facts of a layer's x as those of the layer; `bars` are those of all of its range."""
    whole = bars.values.dtype.kind != "f" and layer.yaxis == "linear"
    found = heights_of(bars)
    root = root_of(*((None, None) if found is None else found))
    edges = [int(end) if whole else float(end) for end in (root.start, root.stop)]
    x0, _, x1, _ = facts.extent
    kind: Kind = "integer" if whole else "float"
    value = ColumnInfo(str(layer.reduction.plane), pa.int64() if whole else pa.float64(), kind, None)
    spread = None
    if facts.range is not None:
        low, high = (0, 1) if found is None else found
        spread = (facts.range[0], low, facts.range[2], high)
    return LayerInfo(
        facts.root_x,
        root,
        (x0, edges[0], x1, edges[1]),
        spread,
        facts.rows,
        facts.rows_outside,
        facts.rows_far,
        facts.rows_kept,
        facts.version,
        layer.reduction,
        categories,
        facts.value,
        facts.x,
        value,
        facts.x_categories,
        None,
        facts.sorted,
    )
