"""The edges of pixels among codes, against the pixel of each number by the image's own map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bigviz.aggregate.dyadic_cells import INSIDE, root_of
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.errors import BadInput
from bigviz.tiles.grid.pixel_edges import pixel_edges

from ...examples import examples

FLOATS = st.sampled_from([0.0, -0.0, 0.1, -1.0, 1e-30, -3e-8, 5e-324, 1e30, 0.5]) | st.floats(-4, 4)
LARGE = 1_700_000_000_000_000_000
WHOLE = st.integers(-50, 50) | st.integers(LARGE, LARGE + 2_000) | st.sampled_from([2**53, -(2**62), 2**63 - 1])
KINDS = {np.float32: FLOATS, np.float64: FLOATS, np.int64: WHOLE, np.uint64: WHOLE.map(abs)}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=examples(60, fuzzed=300), deadline=None)
@given(data=st.data())
def test_a_code_tells_the_pixel(kind: type, data: st.DataObject) -> None:
    dtype = np.dtype(kind)
    numbers = data.draw(st.lists(KINDS[kind], min_size=1, max_size=30))
    ends = sorted(data.draw(st.tuples(*[st.sampled_from(numbers) | KINDS[kind]] * 2)))
    size = data.draw(st.sampled_from([1, 2, 3, 7, 64, 1000]))
    bins = _bins(ends[0], ends[1], size)
    values = _neighbours(np.array([*numbers, *ends], dtype), bins)
    root = root_of(values.min().item(), values.max().item())
    codes, pixels = np.empty(len(values), np.uint32), np.empty(len(values), np.int32)
    inside = root.codes(values, None, codes) == INSIDE
    bins.place(values, None, pixels)
    edges = pixel_edges(root, bins, dtype)
    assert edges is not None and len(edges.firsts) == size + 1 and (np.diff(edges.firsts) >= 0).all()
    told = np.searchsorted(edges.firsts, codes.astype(np.int64), "right") - 1
    told[told == size] = -1
    shared = np.isin(codes, edges.firsts[edges.shared] - 1)
    assert (told == pixels)[inside & ~shared].all()


def _bins(low: Any, high: Any, size: int) -> Bins:
    try:
        return Bins(low, high, size)
    except BadInput:
        assume(False)
        raise


def _neighbours(values: np.ndarray, bins: Bins) -> np.ndarray:
    """Values, and the numbers of their dtype about the edges of pixels."""
    if values.dtype.kind == "f":
        edges = bins.centres()[:50].astype(values.dtype) - values.dtype.type(0.5 / bins.scale)
        near = [edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)]
        found = np.concatenate([values, *near]).astype(values.dtype)
        return found[np.abs(found.astype(np.float64)) < 2.0**1022]
    bounds = np.iinfo(values.dtype)
    near = [edge + step for edge in bins.firsts()[:50] for step in (-1, 0)]
    return np.concatenate([values, np.array([n for n in near if bounds.min <= n <= bounds.max], values.dtype)])


def test_axes_whose_maps_do_not_ascend_have_none() -> None:
    root = root_of(0.5, 8.0)
    assert pixel_edges(root, Bins(1.0, 8.0, 4, log=True), np.dtype(np.float64)) is None
    assert pixel_edges(root, Bins(8.0, 1.0, 4, descending=True), np.dtype(np.float64)) is None
