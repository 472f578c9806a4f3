"""What a server and the workers of a cluster say to each other: JSON, and numbers as bytes behind it. Nothing that is
sent is code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import root_text
from bigviz.tiles.grid.survey import Extent
from bigviz.tiles.pyramid.accumulators import Kept
from bigviz.wire.planes import pack_planes, read_plane

__all__ = [
    "Answer", "PartLayer", "arrays_of", "decoded", "encoded", "extent_facts", "extent_of", "kept_bytes", "kept_of",
    "layer_facts", "layer_of", "numbered", "packed",
]  # fmt: skip

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Answer:
    """What one message says: `head` is JSON, `bodies` are the bytes that it speaks of."""

    head: Mapping[str, Any]
    bodies: Sequence[bytes] = field(default=(), repr=False)


@dataclass(frozen=True)
class PartLayer(Layer):
    """A layer over a part of a table: `root` is the text of the whole table's roots, and `sort` may be the codes of
    its bars, neither of which a viewer can ask for."""

    def check(self, dataset: Dataset) -> None:
        """As `Layer.check`, whatever the roots are."""
        own = {each.name: getattr(self, each.name) for each in fields(Layer)}
        Layer(**{**own, "root": "full", "sort": "label"}).check(dataset)


def layer_facts(layer: Layer, roots: tuple[Root, Root] | None = None) -> dict[str, Any]:
    """A layer as JSON, with these roots."""
    return {
        "glyph": layer.glyph,
        "x": layer.x,
        "y": layer.y,
        "agg": str(layer.reduction),
        "xaxis": layer.xaxis,
        "yaxis": layer.yaxis,
        "filter": layer.filter,
        "root": "full" if roots is None else root_text(roots),
        "bins": layer.bins,
        "sort": layer.sort,
    }


def layer_of(facts: Mapping[str, Any]) -> PartLayer:
    """The layer that `layer_facts` told of."""
    return PartLayer(**{each.name: facts[each.name] for each in fields(Layer)})


def extent_facts(extent: Extent) -> dict[str, Any]:
    """An extent as JSON, which has whole numbers of any size and reads floats back as they were."""
    return {"count": extent.count, "low": extent.low, "high": extent.high}


def extent_of(facts: Mapping[str, Any]) -> Extent:
    """The extent that `extent_facts` told of."""
    low, high = (None if facts[end] is None else (facts[end][0], facts[end][1]) for end in ("low", "high"))
    return Extent(facts["count"], low, high)


def packed(arrays: Sequence[Array | None]) -> tuple[list[Any], list[bytes]]:
    """Arrays as what is to be said of them, and their bytes; None stays None."""
    facts: list[Any] = []
    bodies = []
    for array in arrays:
        facts.append(None if array is None else [array.dtype.str, array.shape])
        if array is not None:
            bodies.append(array.tobytes())
    return facts, bodies


def arrays_of(facts: Sequence[Any], bodies: Sequence[bytes]) -> list[Array | None]:
    """The arrays that `packed` was given, each in memory of its own. Raises ValueError where bytes are missing."""
    left = iter(bodies)
    found: list[Array | None] = []
    for each in facts:
        if each is None:
            found.append(None)
            continue
        dtype, shape = np.dtype(each[0]), tuple(each[1])
        if dtype.kind not in "biuf":
            raise ValueError(f"an array holds numbers, got {dtype}")
        found.append(np.frombuffer(next(left, b""), dtype).reshape(shape).copy())
    return found


def kept_bytes(kept: Kept) -> bytes:
    """The accumulators of a tile as bytes."""
    return pack_planes((*kept.values, *kept.others))


def kept_of(body: bytes, values: int, others: int) -> Kept:
    """The accumulators that `kept_bytes` told of: so many planes of values, and so many others."""
    planes = tuple(read_plane(body, number, values + others) for number in range(values + others))
    return Kept(planes[:values], planes[values:])


def numbered(reduction: Reduction, planes: Planes, offset: int) -> Planes:
    """Accumulators of a part with the numbers that its rows have in the whole table."""
    if not reduction.ordered:
        return planes
    values, numbers = planes
    filled = reduction.finalize(planes).filled
    return values, np.where(filled, numbers + offset, numbers)


def encoded(answer: Answer) -> dict[str, Any]:
    """A message as Dask sends it."""
    return {"head": json.dumps(answer.head), "bodies": [bytes(body) for body in answer.bodies]}


def decoded(message: Mapping[str, Any]) -> Answer:
    """A message as it came."""
    return Answer(json.loads(message["head"]), message["bodies"])
