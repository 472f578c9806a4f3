"""Tables and windows at random, and datashader's image beside bigviz's.

Datashader compiles its kernels again for every glyph, reduction, dtype and list of categories (a second or more each),
which is what takes the time for so few rows: where Python calculates as the machine code does, it is not compiled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import datashader as ds
import numpy as np
import pandas as pd
import pyarrow as pa
import xarray as xr
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.canvas.in_cells import Side
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.reductions import api as r
from bigviz.common.errors import BadInput

from ...interpreted import interpreted
from ...unoptimised import unoptimised

COMMON = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


SIGNED, UNSIGNED = ("int8", "int16", "int32", "int64"), ("uint8", "uint16", "uint32", "uint64")


REDUCTIONS = ("count", "any", "count(v)", "any(v)", "sum", "mean", "min", "max", "first", "last")


ROUND = [k / 4 for k in range(-12, 13)]  # on the edges of cells, and on both ends of windows


def elements(dtype: str, infinite: bool) -> st.SearchStrategy[Any]:
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        return st.integers(max(limits.min, -(2**40)), min(limits.max, 2**40)) | st.integers(0, 12)
    width: Any = 8 * kind.itemsize
    odd = [math.nan, -0.0, *([math.inf, -math.inf] if infinite else [])]
    return st.sampled_from(ROUND) | st.floats(-3, 3, width=width) | st.sampled_from(odd)


@st.composite
def frames(draw: st.DrawFn, x: str, y: str, value: str = "float64", infinite: bool = True) -> pd.DataFrame:
    """x, y, a value v and a category k; infinite vertices are for points alone: datashader's lines crash on them."""
    size = draw(st.integers(1, 30))
    columns = {
        "x": draw(arrays(x, size, elements=elements(x, infinite))),
        "y": draw(arrays(y, size, elements=elements(y, infinite))),
        "v": draw(arrays(value, size, elements=elements(value, True))),
        "k": pd.Categorical(draw(st.lists(st.sampled_from("ab"), min_size=size, max_size=size)), ["b", "a", "c"]),
    }
    return pd.DataFrame(columns)


def within(window: tuple[float, float], size: int, log: bool, values: np.ndarray) -> bool:
    """Whether datashader draws points, and clips segments of these numbers, within the image: outside it wraps, or
    overwrites memory."""
    known = values[np.isfinite(values)].astype(np.float64)
    most = float(np.abs(known).max(initial=0.0))
    try:
        return Side(Bins(*window, size, log), (-most, most), values.dtype == np.float32, False).is_safe(True)
    except BadInput:
        return False


@st.composite
def windows(draw: st.DrawFn, values: np.ndarray, log: bool = False) -> tuple[tuple[float, float], int]:
    """A window whose ends lie on, between or beyond the values, and a number of cells."""
    finite = sorted({float(v) for v in values.tolist() if math.isfinite(v) and (v > 0 or not log)} | {0.5, 2.0})
    ends = st.sampled_from(finite) | st.floats(finite[0] * (0.5 if log else 1), finite[-1] * 2)
    low, high = sorted((draw(ends), draw(ends)))
    size = draw(st.integers(1, 13))
    if not within((low, high), size, log, values):
        low, high = 0.25, 8.0
    return (low, high), size


def named(module: Any, name: str) -> Any:
    """A reduction of datashader's or of bigviz's."""
    inner, _, column = name.removeprefix("by ").partition("(")
    takes = [column.rstrip(")")] if column else [] if inner in ("count", "any") else ["v"]
    agg = getattr(module, inner)(*takes)
    return module.by("k", agg) if name.startswith("by ") else agg


@contextmanager
def datashaders(frame: pd.DataFrame) -> Iterator[Any]:
    """datashader, compiled where x or y has less than 64 bits: Python keeps their width."""
    if any(frame[name].dtype.itemsize < 8 for name in "xy"):
        with unoptimised():
            yield ds
    else:
        with interpreted() as module:
            yield module


def both(
    frame: pd.DataFrame, glyph: str, names: tuple[str, ...], options: dict[str, Any]
) -> Iterator[tuple[xr.DataArray, xr.DataArray]]:
    """datashader's image and bigviz's of each reduction; the categories of a pandas frame are those that it declares,
    those of an Arrow table the ones that occur."""
    with datashaders(frame) as theirs:
        aggs = {name: named(theirs, name) for name in names}
        ask = theirs.summary(**aggs) if len(aggs) > 1 else aggs[names[0]]
        drawn = getattr(theirs.Canvas(**options), glyph)(frame, "x", "y", ask)
    for name in names:
        source = frame if name.startswith("by ") else pa.Table.from_pandas(frame)
        image = getattr(Canvas(**options), glyph)(source, "x", "y", named(r, name))
        expected = drawn if len(aggs) == 1 else drawn[name].rename(None).assign_attrs(drawn.attrs)
        yield expected, image


def compare(
    data: st.DataObject, frame: pd.DataFrame, glyph: str, *names: str, log: tuple[bool, bool] = (False, False)
) -> None:
    x_range, width = data.draw(windows(frame["x"].to_numpy(), log[0]))
    y_range, height = data.draw(windows(frame["y"].to_numpy(), log[1]))
    kinds = ["log" if each else "linear" for each in log]
    options: dict[str, Any] = {
        "plot_width": width,
        "plot_height": height,
        "x_range": x_range,
        "y_range": y_range,
        "x_axis_type": kinds[0],
        "y_axis_type": kinds[1],
    }
    for expected, got in both(frame, glyph, names, options):
        identical(expected, got)


def identical(expected: xr.DataArray, got: xr.DataArray) -> None:
    assert expected.identical(got)
    assert expected.dtype == got.dtype and list(expected.coords) == list(got.coords)
    assert np.ascontiguousarray(expected.values).tobytes() == np.ascontiguousarray(got.values).tobytes()
    for name in expected.coords:
        if expected.coords[name].dtype.kind == "f":
            assert expected.coords[name].values.tobytes() == got.coords[name].values.tobytes()
