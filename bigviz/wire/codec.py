"""A tile's plane as bytes and back: the codecs of docs/protocol.md, section 3.

A plane is 256 x 256 cells, row 0 the highest y, row-major. Counts are encoded by `encode_counts`, where 0 is an empty
cell; every other reduction by `encode_values`, which gets the filled cells. Both are exact: a narrower dtype is
chosen only where it holds every value of the plane.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen, jit
from bigviz.wire.runs import add_to_runs, extremes, find_runs, gather, scatter

__all__ = [
    "CELLS",
    "CODES",
    "CONSTANT",
    "DTYPES",
    "EMPTY",
    "NARROW",
    "NO_COUNTS",
    "RLEV",
    "RUNS",
    "SIDE",
    "Codec",
    "EncodedPlane",
    "add_counts",
    "add_values",
    "decode",
    "encode_counts",
    "encode_values",
]

Array = npt.NDArray[Any]
SIDE: Final = 256
CELLS: Final = SIDE * SIDE


class Codec(IntEnum):
    """How a plane's 65,536 cells are written."""

    EMPTY = 0
    CONSTANT = 1
    NARROW = 2
    RLEV = 3
    RUNS = 4


EMPTY, CONSTANT, NARROW, RLEV, RUNS = Codec
DTYPES: Final[dict[int, np.dtype[Any]]] = {
    1: np.dtype(np.uint8),
    2: np.dtype("<u2"),
    3: np.dtype("<u4"),
    4: np.dtype("<u8"),
    5: np.dtype(np.int8),
    6: np.dtype("<i2"),
    7: np.dtype("<i4"),
    8: np.dtype("<i8"),
    9: np.dtype("<f4"),
    10: np.dtype("<f8"),
}
CODES: Final = {dtype: code for code, dtype in DTYPES.items()}
_UNSIGNED: Final = (1, 2, 3, 4)
_SIGNED: Final = (5, 6, 7, 8)
_BOUNDS: Final = {code: (int(np.iinfo(DTYPES[code]).min), int(np.iinfo(DTYPES[code]).max)) for code in range(1, 9)}
_NO_CONSTANT: Final = bytes(8)
_BLOCK: Final = 256  # cells of which the filled ones are listed at once
_LONGEST: Final = 7 * _BLOCK  # bytes that they can add to an rlev stream: runs and counts


@dataclass(frozen=True, slots=True)
class EncodedPlane:
    """One plane as it goes on the wire, and the fields of its header but the offset.

    `plane` is its index in the layer's planes, `filled` the number of filled cells, `low` and `high` the extremes of
    their values (NaN where there are none), `constant` the 8 bytes of codec 1, `payload` the bytes of codecs 2 to 4.
    """

    codec: int
    dtype: int
    plane: int
    filled: int
    low: float
    high: float
    constant: bytes = _NO_CONSTANT
    payload: bytes = b""

    @property
    def nbytes(self) -> int:
        """What keeping it costs, roughly: the payload and the object around it."""
        return len(self.payload) + 160


NO_COUNTS: Final = EncodedPlane(EMPTY, 1, 0, 0, math.nan, math.nan)  # a plane of empty cells


def encode_counts(counts: npt.NDArray[np.uint32], plane: int = 0) -> EncodedPlane:
    """Encode a C-contiguous (256, 256) plane of counts as empty, constant, narrow or rlev, whichever is smallest."""
    flat, out = counts.reshape(CELLS), _scratch.stream
    filled, lowest, highest, size = _encode(frozen(flat), frozen(flat.view(np.uint64)), out)
    if filled == 0:
        return NO_COUNTS if plane == 0 else replace(NO_COUNTS, plane=plane)
    dtype = _narrowest(0, highest, _UNSIGNED)
    low, high = float(lowest), float(highest)
    if filled == CELLS and low == high:
        return EncodedPlane(CONSTANT, dtype, plane, CELLS, low, high, _constant(flat[0], dtype))
    if size:
        return EncodedPlane(RLEV, dtype, plane, filled, low, high, payload=out[:size].tobytes())
    return EncodedPlane(NARROW, dtype, plane, filled, low, high, payload=flat.astype(DTYPES[dtype]).tobytes())


def encode_values(values: Array, filled: npt.NDArray[np.bool_], plane: int = 0) -> EncodedPlane:
    """Encode the filled cells of a (256, 256) plane as empty, constant or runs.

    `values` may have any dtype of the protocol; what unfilled cells hold does not matter. Integers travel in the
    narrowest type of their signedness that holds them all, floats as float32 where that is exact (NaN stays NaN).
    """
    mask = filled.reshape(CELLS)
    runs, count = find_runs(mask)
    if count == 0:
        return EncodedPlane(EMPTY, CODES[values.dtype], plane, 0, math.nan, math.nan)
    kept = gather(values.reshape(CELLS), mask, count)
    dtype, low, high = _fit(kept)
    kept = kept.astype(DTYPES[dtype], copy=False)
    if count == CELLS and low == high and (kept == kept[0]).all():
        return EncodedPlane(CONSTANT, dtype, plane, CELLS, low, high, _constant(kept[0], dtype))
    payload = np.array([len(runs), count], np.uint32).tobytes() + runs.tobytes() + kept.tobytes()
    return EncodedPlane(RUNS, dtype, plane, count, low, high, payload=payload)


def decode(plane: EncodedPlane) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The (256, 256) values, in the plane's dtype, and the bool plane of filled cells; unfilled cells are 0.

    Every length and count is checked. Raises BadInput, naming the field, for bytes that no encoder wrote.
    """
    dtype = DTYPES.get(plane.dtype)
    if dtype is None:
        raise BadInput(f"a plane's dtype is 1 to 10, got {plane.dtype}", "dtype", plane.dtype)
    if plane.codec == EMPTY:
        return np.zeros((SIDE, SIDE), dtype), np.zeros((SIDE, SIDE), np.bool_)
    if plane.codec == CONSTANT:
        if len(plane.constant) != 8:
            raise BadInput(f"a constant is 8 bytes, got {len(plane.constant)}", "constant", len(plane.constant))
        value = np.frombuffer(plane.constant, dtype, 1)[0]
        return np.full((SIDE, SIDE), value, dtype), np.ones((SIDE, SIDE), np.bool_)
    if plane.codec == NARROW:
        values = _decode_narrow(plane.payload, plane.dtype)
        return values, values != 0
    if plane.codec == RLEV:
        values = _decode_rlev(plane.payload, plane.dtype)
        return values, values != 0
    if plane.codec == RUNS:
        return _decode_runs(plane.payload, dtype)
    raise BadInput(f"a plane's codec is 0 to 4, got {plane.codec}", "codec", plane.codec)


def add_counts(
    plane: EncodedPlane, out: npt.NDArray[np.uint32], place: tuple[int, int], less: tuple[int, int] = (0, 0)
) -> None:
    """Add an encoded plane of counts, halved `less` times along y and along x, to the C-contiguous (256, 256) `out`.

    Its first cell goes to `place`, a row and a column, from where it must fit. The same as to decode it, to add up its
    cells and to add that: at half a millisecond less, because nothing is written in between. Raises as `decode` does.
    """
    less_y, less_x = less
    row, column = place
    terms = out.reshape(CELLS), row * SIDE + column, less_y, less_x
    if plane.codec == EMPTY:
        return
    if plane.codec == CONSTANT:
        cells = out[row : row + (SIDE >> less_y), column : column + (SIDE >> less_x)]
        cells += np.uint32(int(plane.high) << less_y + less_x)
    elif plane.codec == NARROW and less == (0, 0):
        np.add(out, _decode_narrow(plane.payload, plane.dtype), out=out, casting="unsafe")
    elif plane.codec == NARROW:
        _add_narrow(frozen(_decode_narrow(plane.payload, plane.dtype).astype(np.uint32).reshape(CELLS)), *terms)
    elif plane.codec == RLEV:
        _add_rlev(plane.payload, plane.dtype, *terms)
    else:
        raise BadInput(f"a plane of counts has codec 0 to 3, got {plane.codec}", "codec", plane.codec)


def add_values(plane: EncodedPlane, out: Array) -> None:
    """Add the filled cells of an encoded plane of values to the C-contiguous (256, 256) `out`, of a dtype that holds
    its values: the same as decoding it and adding that, without the 600 KB between and their page faults. Raises what
    `decode` does; some values may be added by then."""
    dtype, flat = DTYPES.get(plane.dtype), out.reshape(CELLS)
    if plane.codec == RUNS and dtype is not None:
        kept, pairs = _runs_of(plane.payload, dtype)
        if not add_to_runs(kept, pairs, flat):
            raise _damaged_runs(kept, pairs)
    elif plane.codec != EMPTY:
        values, filled = decode(plane)
        np.add(flat, values.reshape(CELLS), out=flat, where=filled.reshape(CELLS), casting="unsafe")


class _Scratch(threading.local):
    """Room for the longest stream, for each thread: a new array costs page faults, which take as long as writing it."""

    def __init__(self) -> None:
        self.stream = np.empty(4 * CELLS + _LONGEST, np.uint8)


_scratch = _Scratch()


def _decode_narrow(payload: bytes, code: int) -> Array:
    _check_unsigned(code, "narrow")
    expected = CELLS * DTYPES[code].itemsize
    if len(payload) != expected:
        raise BadInput(f"a narrow plane of this dtype is {expected} bytes, got {len(payload)}", "payload", len(payload))
    return np.frombuffer(payload, DTYPES[code]).reshape(SIDE, SIDE)


def _decode_rlev(payload: bytes, code: int) -> Array:
    wide = np.zeros(CELLS, DTYPES[max(code, 3)])
    _add_rlev(payload, code, wide, 0, 0, 0)
    return wide.reshape(SIDE, SIDE).astype(DTYPES[code], copy=False)


def _add_rlev(payload: bytes, code: int, out: Array, first: int, less_y: int, less_x: int) -> None:
    _check_unsigned(code, "rlev")
    limit = np.uint64((1 << 8 * DTYPES[code].itemsize) - 1)
    end = _read_rlev(np.frombuffer(payload, np.uint8), limit, out, first, less_y, less_x)
    if end < 0:
        raise BadInput(f"the rlev stream is damaged at byte {-1 - end} of {len(payload)}", "payload", -1 - end)


def _decode_runs(payload: bytes, dtype: np.dtype[Any]) -> tuple[Array, npt.NDArray[np.bool_]]:
    kept, pairs = _runs_of(payload, dtype)
    if pairs[:, 1].sum() != len(kept) or pairs.sum() > CELLS:
        raise _damaged_runs(kept, pairs)
    values, mask = np.zeros(CELLS, dtype), np.zeros(CELLS, np.bool_)
    scatter(kept, pairs, values, mask)
    return values.reshape(SIDE, SIDE), mask.reshape(SIDE, SIDE)


def _runs_of(payload: bytes, dtype: np.dtype[Any]) -> tuple[Array, npt.NDArray[np.uint32]]:
    """The values of a `runs` plane and its runs, as `find_runs` gives them; it is not checked that these fit the values
    and the plane."""
    if len(payload) < 8:
        raise BadInput(f"a runs plane has at least 8 bytes, got {len(payload)}", "payload", len(payload))
    runs, count = (int(word) for word in np.frombuffer(payload, "<u4", 2))
    start = (8 + 8 * runs + 7) // 8 * 8
    expected = start + count * dtype.itemsize
    if runs > CELLS or count > CELLS or len(payload) != expected:
        raise BadInput(
            f"{runs} runs of {count} values are {expected} bytes, got {len(payload)}", "payload", len(payload)
        )
    return np.frombuffer(payload, dtype, count, start), np.frombuffer(payload, "<u4", 2 * runs, 8).reshape(runs, 2)


def _damaged_runs(kept: Array, pairs: npt.NDArray[np.uint32]) -> BadInput:
    count = len(kept)
    return BadInput(f"the runs hold {pairs[:, 1].sum()} of {count} values in {pairs.sum()} cells", "payload", count)


def _check_unsigned(code: int, codec: str) -> None:
    if code not in _UNSIGNED:
        raise BadInput(f"a plane of counts ({codec}) has dtype 1 to 4, got {code}", "dtype", code)


def _constant(value: Any, code: int) -> bytes:
    return np.asarray(value, DTYPES[code]).tobytes().ljust(8, b"\0")


def _narrowest(low: int, high: int, codes: tuple[int, ...]) -> int:
    for code in codes:
        least, most = _BOUNDS[code]
        if least <= low and high <= most:
            return code
    raise ValueError(f"no dtype of the protocol holds {low} to {high}")


def _fit(kept: Array) -> tuple[int, float, float]:
    """The narrowest exact dtype of some values and their extremes."""
    kind = kept.dtype.kind
    if kind in "iu":
        least, most = int(kept.min()), int(kept.max())
        return _narrowest(least, most, _SIGNED if kind == "i" else _UNSIGNED), float(least), float(most)
    exact, low, high = extremes(kept)
    return 9 if exact else 10, low, high


@jit
def _measure(counts: Array) -> tuple[int, int, int, int]:
    """Filled cells, the lowest and highest count among them (0 without one), and runs of empty cells before others: in
    32 bits, and with no cell that waits for the one before, so that eight are looked at at a time."""
    one = np.uint32(1)
    empty, ends = np.uint32(0), np.uint32(0)
    low, high = np.uint32(0xFFFFFFFF), np.uint32(0)
    for k in range(counts.size):
        count = counts[k]
        empty = np.uint32(empty + np.uint32(count == 0))
        low = min(low, np.uint32(count - one))  # an empty cell wraps to the top
        high = max(high, count)
    for k in range(1, counts.size):
        ends = np.uint32(ends + (np.uint32(counts[k - 1] == 0) & np.uint32(counts[k] != 0)))
    filled = counts.size - int(empty)
    return filled, int(low) + 1 if filled else 0, int(high), int(ends)


@jit
def _encode(counts: Array, twos: Array, out: Array) -> tuple[int, int, int, int]:
    """Filled cells, the lowest and highest count, and the length of the rlev stream in `out`: 0 where another codec is
    the smaller one. A single call, since after each a thread waits for those that compute in Python."""
    filled, low, high, runs = _measure(counts)
    limit = counts.size * (1 if high < 1 << 8 else 2 if high < 1 << 16 else 4)
    if filled == 0 or (filled == counts.size and low == high) or filled + 2 * runs >= limit:
        return filled, low, high, 0  # the sum is the least that the stream can take
    size = _write_rlev(counts, twos, limit, out)
    return filled, low, high, size if size < limit else 0


@jit
def _write_rlev(counts: Array, twos: Array, limit: int, out: Array) -> int:
    """Write the stream and return its length; give up once it is `limit` bytes or more. `out` is longer by what a block
    can add.

    `twos` is `counts` seen as uint64: sixteen empty cells at once are passed over. The filled cells of a block are
    listed without a branch on the data, then written one by one: a branch a cell, or a write a cell, takes twice the
    time in half-full planes. Empty cells at the end are left out.
    """
    places = np.empty(_BLOCK + 1, np.uint16)
    at = 0
    last = -1
    for start in range(0, counts.size, _BLOCK):
        filled = 0
        for first in range(start, start + _BLOCK, 16):
            if _all_empty(twos, first // 2):
                continue
            for cell in range(first, first + 16):
                places[filled] = cell
                filled += counts[cell] > 0
        for k in range(filled):
            cell = int(places[k])
            empty, count = cell - last - 1, counts[cell]
            last = cell
            if empty < 128 and count < 128:
                out[at] = 0
                out[at + 1] = empty
                at += 2 * (empty > 0)
                out[at] = count
                at += 1
                continue
            if empty > 0:
                out[at] = 0
                at = _write_leb(np.uint32(empty), out, at + 1)
            at = _write_leb(count, out, at)
        if at >= limit:
            return at
    return at


@jit
def _all_empty(twos: Array, at: int) -> bool:
    """Whether sixteen cells, two in each number from `at` on, are all empty."""
    first = twos[at] | twos[at + 1] | twos[at + 2] | twos[at + 3]
    return not (first | twos[at + 4] | twos[at + 5] | twos[at + 6] | twos[at + 7])


@jit
def _write_leb(number: np.uint32, out: Array, at: int) -> int:
    """Write one LEB128 number; where the next one goes."""
    while number >= 128:
        out[at] = number & np.uint32(127) | np.uint32(128)
        at += 1
        number >>= np.uint32(7)
    out[at] = number
    return at + 1


@jit
def _add_narrow(counts: Array, out: Array, first: int, less_y: int, less_x: int) -> None:
    for cell in range(counts.size):
        out[first + (cell >> 8 >> less_y << 8) + ((cell & 255) >> less_x)] += counts[cell]


@jit
def _read_rlev(data: Array, limit: np.uint64, out: Array, first: int, less_y: int, less_x: int) -> int:
    """Add a stream, its cells halved, to `out` from cell `first` on; the bytes read, or -1 - p where byte p breaks a
    rule.

    The rules: no number runs past the end or past 64 bits, a run is 1 or more cells long, no cell lies past the plane,
    no count is 0 or above `limit`.
    """
    at = 0
    cell = 0
    while at < data.size:
        start = at
        byte = np.uint64(data[at])
        after = int(data[at + 1]) if byte == 0 and at + 1 < data.size else 0
        if 0 < after < 128 and after <= CELLS - cell:  # most runs and counts are of one byte
            cell += after
            at += 2
            continue
        if 0 < byte < 128 and cell < CELLS and byte <= limit:
            out[first + (cell >> 8 >> less_y << 8) + ((cell & 255) >> less_x)] += byte
            cell += 1
            at += 1
            continue
        run = byte == 0
        if run:
            at += 1
        number = np.uint64(0)
        shift = 0
        while True:
            if at >= data.size or shift > 63:
                return -1 - start
            byte = np.uint64(data[at])
            part = byte & np.uint64(127)
            if shift == 63 and part > 1:
                return -1 - start
            number |= part << np.uint64(shift)
            at += 1
            shift += 7
            if byte < 128:
                break
        if number == 0:
            return -1 - start
        if run:
            if number > np.uint64(CELLS - cell):
                return -1 - start
            cell += int(number)
        else:
            if cell >= CELLS or number > limit:
                return -1 - start
            out[first + (cell >> 8 >> less_y << 8) + ((cell & 255) >> less_x)] += number
            cell += 1
    return at
