"""Numbers and windows at the ends of what their types hold: nothing is written beside an image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.line import add_line
from bigviz.aggregate.glyphs.point_reader import PointReader, PointRows
from bigviz.aggregate.glyphs.points import PointsImage
from bigviz.aggregate.inputs import NO_INPUTS, Numbers
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.reductions.tally import SPARE
from bigviz.common.cancel import NEVER
from bigviz.common.errors import BadInput

MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
GUARD = 4096  # bytes before and after an image
MARK = 0xA5
FLOATS = [
    0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1.4e-45, -1.4e-45, 1e-158, 5e-27, 1.2e-7, 1.0, -1.0,
    math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0), 3.0, -3.0, 2.0**31, 2.0**53, -(2.0**63), 2.0**64, 3e38, -3e38,
    1e300, 1.7e308, -1.7e308,
]  # fmt: skip
WHOLE = [0, 1, 2, 2**31, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1]


def columns(dtype: str) -> st.SearchStrategy[np.ndarray]:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        finite: Any = st.floats(-4, 4) | st.floats(allow_nan=True)
        number = st.sampled_from(FLOATS) | finite
    elif kind.kind == "u":
        number = st.sampled_from([*WHOLE, 2**64 - 1])
    else:
        number = st.sampled_from([*WHOLE, *(-each for each in WHOLE), -(2**63)])
    return st.lists(number, min_size=6, max_size=6).map(lambda each: narrowed(each, kind))


def narrowed(numbers: list[Any], kind: np.dtype[Any]) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.array(numbers, kind if kind.kind != "f" else np.float64).astype(kind)


@st.composite
def sides(draw: st.DrawFn, values: np.ndarray) -> Bins:
    """A side whose ends are numbers of the column or extreme ones."""
    log = values.dtype.kind == "f" and draw(st.booleans())
    known = [each for each in values.tolist() if math.isfinite(each)]
    ends = sorted(draw(st.lists(st.sampled_from(known + FLOATS), min_size=2, max_size=2)))
    try:
        return Bins(ends[0], ends[1], draw(st.integers(1, 5)), log)
    except (BadInput, OverflowError):
        assume(False)
        raise


def guarded(shape: tuple[int, int], dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """An empty plane, and all of the memory that it lies in."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.full(size + 2 * GUARD, MARK, np.uint8)
    memory[GUARD : GUARD + size] = 0
    return memory[GUARD : GUARD + size].view(dtype).reshape(shape), memory


def whole(memory: np.ndarray) -> bool:
    """Whether nothing was written beside the plane."""
    return bool((memory[:GUARD] == MARK).all() and (memory[-GUARD:] == MARK).all())


KINDS = st.sampled_from(["float64", "float32", "int64", "uint64"])


@MANY
@given(data=st.data())
def test_lines(data: st.DataObject) -> None:
    x, y = (data.draw(KINDS.flatmap(columns)) for _ in "xy")
    x_bins, y_bins = data.draw(sides(x)), data.draw(sides(y))
    for text, dtype in (("any", "uint8"), ("count", "uint32")):
        plane, memory = guarded((y_bins.size, x_bins.size), dtype)
        with np.errstate(all="ignore"):
            add_line((plane,), Numbers(x), Numbers(y), x_bins, y_bins, parse(text), NO_INPUTS, 0)
        assert whole(memory)
        assert plane.max() <= len(x)


@MANY
@given(data=st.data())
def test_points(data: st.DataObject) -> None:
    x, y = (data.draw(KINDS.flatmap(columns)) for _ in "xy")
    x_bins, y_bins = data.draw(sides(x)), data.draw(sides(y))
    rows = PointRows(Numbers(x), Numbers(y))
    for text, dtype in (("any", "uint8"), ("count", "uint32")):
        plane, memory = guarded((y_bins.size, x_bins.size), dtype)
        image = PointsImage(x_bins, y_bins, parse(text))
        with np.errstate(all="ignore"):
            image.add((plane,), rows, NEVER)
            assert whole(memory)
            assert (image.planes(rows)[0] == plane).all()
            reader = PointReader(x_bins, y_bins, parse(text), rows)
            outside = x_bins.size * y_bins.size
            cells = reader.cells(reader.target(outside, SPARE - 1), 0, len(rows))
        assert (cells >= 0).all() and (cells < outside + SPARE).all()
