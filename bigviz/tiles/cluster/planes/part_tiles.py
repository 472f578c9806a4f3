"""What a worker's part has of a tile as bytes: its accumulators, from its rows or from what is kept."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from bigviz.common.cancel import Cancel
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.cluster.messages import kept_bytes, numbered
from bigviz.tiles.cluster.planes.packed_counts import pack_counts
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.pyramid.accumulators import keep
from bigviz.wire.codec import EMPTY, SIDE, add_counts

__all__ = ["tile_of_part"]


def tile_of_part(points: PointsLayer, key: TileKey, offset: int, cancel: Cancel) -> tuple[dict[str, Any], bytes]:
    """What is to be said of a tile of the part whose rows begin at `offset`, and its bytes: planes of counts packed,
    all others as they are kept."""
    reduction = points.pyramid.inputs.reduction
    if reduction.traits.counts:
        planes, rows = _packed(points, key, cancel)
        return {"packed": [len(plane) for plane in planes], "rows": rows}, b"".join(planes)
    kept, rows = points.pyramid.kept(key), 0
    if kept is None or reduction.ordered:
        accumulators, rows = points.accumulators(key, cancel)
        kept = keep(reduction, numbered(reduction, accumulators, offset), cancel.check)
    return {"planes": [len(kept.values), len(kept.others)], "rows": rows}, kept_bytes(kept)


def _packed(points: PointsLayer, key: TileKey, cancel: Cancel) -> tuple[list[bytes], int]:
    """The packed planes of a tile of counts, and the rows read for them."""
    kept = points.pyramid.kept(key)
    if kept is None:
        counted = points.pyramid.counted(key, cancel)
        if counted is not None:
            return [pack_counts(counted[0]) if counted[1] else b""], counted[1]
        accumulators, rows = points.pyramid.scan(key, cancel)
        return [pack_counts(plane) for plane in accumulators[0].reshape(-1, SIDE, SIDE)], rows
    planes = []
    for plane in kept.values:
        cancel.check()
        if plane.codec == EMPTY:
            planes.append(b"")
            continue
        _scratch.counts[:] = 0
        add_counts(plane, _scratch.counts, (0, 0))
        planes.append(pack_counts(_scratch.counts))
    return planes, 0


class _Scratch(threading.local):
    """Room for a plane, for each thread: a new array costs page faults, which take as long as filling it."""

    def __init__(self) -> None:
        self.counts = np.empty((SIDE, SIDE), np.uint32)


_scratch = _Scratch()
