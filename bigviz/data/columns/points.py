"""Coordinates of points that are written as geometries: well-known binary, and GeoArrow's structs and lists.

WKB (OGC 06-103r4) is a byte order (0 big, 1 little), a type as uint32, and of a point x, y and perhaps z and m as
float64. ISO 13249 adds the types 1001, 2001 and 3001, EWKB flags and perhaps a reference system before x. GeoArrow:
https://geoarrow.org/format.html.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.arrow_arrays import fixed_view, from_numpy, plain, valid_mask

__all__ = ["AXES", "coordinates"]

AXES: Final = ("x", "y")
_POINT: Final = 21  # bytes of a point of two coordinates
_FLOAT: Final = np.dtype(np.float64)
_POINTS: Final = (1, 1001, 2001, 3001)
_HAS_SYSTEM: Final = np.uint32(0x20000000)
_FLAGS: Final = np.uint32(0xE0000000)
_SLICE: Final = 1 << 16


def coordinates(array: pa.Array, axis: int) -> pa.Array:
    """The x (axis 0) or y (1) of the points in a validated array, as float64; null for null, empty points, other
    geometries and what is no geometry.

    Takes binary of any kind (WKB), structs with float fields x and y, and lists of fixed size (interleaved); raises
    `ValueError` for other types.
    """
    array = plain(array)
    if pt.is_dictionary(array.type):
        return coordinates(array.dictionary, axis).take(array.indices)
    if pt.is_struct(array.type):
        return _empty_is_null(array.flatten()[array.type.get_field_index(AXES[axis])])
    if pt.is_fixed_size_list(array.type):
        width = array.type.list_size
        values = array.values.slice(width * array.offset, width * len(array)).fill_null(np.nan)
        numbers = fixed_view(values, _FLOAT)[axis::width]
        return _empty_is_null(from_numpy(numbers, pa.float64(), valid_mask(array)))
    if not (pt.is_binary(array.type) or pt.is_large_binary(array.type)):
        if not pt.is_binary_view(array.type):
            raise ValueError(f"{array.type} holds no geometries")
        array = array.cast(pa.large_binary())
    numbers = np.full(len(array), np.nan)
    ends = _ends(array)
    data = array.buffers()[2]
    octets = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    for start in range(0, len(array), _SLICE):
        stop = min(start + _SLICE, len(array))
        numbers[start:stop] = _of_wkb(octets, ends[start : stop + 1], axis)
    return _nan_is_null(numbers, array)


def _ends(array: pa.Array) -> np.ndarray:
    """The offsets of an array of bytes, one more than it has rows."""
    dtype = np.dtype(np.int64 if pt.is_large_binary(array.type) else np.int32)
    buffer = array.buffers()[1]
    if len(array) == 0 or buffer is None:
        return np.zeros(1, np.int64)
    return np.frombuffer(buffer, dtype, len(array) + 1, array.offset * dtype.itemsize).astype(np.int64)


def _of_wkb(octets: np.ndarray, ends: np.ndarray, axis: int) -> np.ndarray:
    """One coordinate of each value, NaN where it has none."""
    found = np.full(len(ends) - 1, np.nan)
    sizes = np.diff(ends)
    rows = np.flatnonzero(sizes >= _POINT)
    if len(rows) == 0:
        return found
    if len(rows) > 1 and (sizes == sizes[0]).all():
        values = octets[ends[0] : ends[-1]].reshape(len(sizes), sizes[0])
        if (values[:, :5] == values[0, :5]).all():  # as writers of points write them: all alike
            place = int(_place(octets, ends[:1], ends[1:2], axis)[0])
            first = place - int(ends[0])
            return found if place < 0 else _read(values[:, first : first + 8], _FLOAT, values[:1, 0] == 1)
    at = _place(octets, ends[rows], ends[rows + 1], axis)
    is_point = at >= 0
    at, rows = at[is_point], rows[is_point]
    found[rows] = _gather(octets, at, _FLOAT, octets[ends[rows]] == 1)
    return found


def _place(octets: np.ndarray, starts: np.ndarray, stops: np.ndarray, axis: int) -> np.ndarray:
    """Where the coordinate of each value begins, or a number below 0 if it is no point. Each has 21 bytes or more."""
    order = octets[starts]
    kinds = _gather(octets, starts + 1, np.dtype(np.uint32), order == 1)
    shapes = kinds & ~_FLAGS
    first = starts + 5 + np.where(kinds & _HAS_SYSTEM, 4, 0)
    is_point = (order <= 1) & np.isin(shapes, _POINTS) & (first + 16 <= stops)
    return np.where(is_point, first + 8 * axis, -1 - starts)


def _gather(octets: np.ndarray, at: np.ndarray, dtype: np.dtype, little: np.ndarray) -> np.ndarray:
    """The numbers whose bytes begin at `at`."""
    return _read(octets[at[:, None] + np.arange(dtype.itemsize)], dtype, little)


def _read(raw: np.ndarray, dtype: np.dtype, little: np.ndarray) -> np.ndarray:
    """Rows of bytes as numbers, in either order of bytes."""
    raw = np.ascontiguousarray(raw)
    numbers = raw.view(dtype.newbyteorder("<"))[:, 0]
    if not little.all():
        numbers = np.where(little, numbers, raw.view(dtype.newbyteorder(">"))[:, 0])
    return numbers.astype(dtype)


def _empty_is_null(array: pa.Array) -> pa.Array:
    """An empty point has NaN for its coordinates."""
    return _nan_is_null(fixed_view(array.cast(pa.float64()), _FLOAT), array)


def _nan_is_null(numbers: np.ndarray, array: pa.Array) -> pa.Array:
    """One number for each row of `array`, null where that is and where there is none."""
    valid = valid_mask(array)
    known = ~np.isnan(numbers)
    return from_numpy(numbers, pa.float64(), known if valid is None else known & valid)
