"""Oracles of the published rules, in `fractions` and plain Python: nothing here is shared with the package."""

from __future__ import annotations

import decimal
import json
import math
import struct
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

_STEP = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def numbers(column: pa.ChunkedArray, space: str = "linear") -> list[Fraction | None]:
    """Axis numbers, exactly; None for what is in no cell."""
    kind = column.type
    if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
        words = column.cast(pa.string()).to_pylist()
        ranks = {word: rank for rank, word in enumerate(sorted({word for word in words if word is not None}))}
        return [None if word is None else Fraction(ranks[word]) for word in words]
    if pa.types.is_temporal(kind):
        step = 86_400 * 10**9 if pa.types.is_date32(kind) else _STEP[kind.unit]
        stored = column.cast(pa.int32()) if kind.bit_width == 32 else column
        stamps = [None if v is None else v * step for v in stored.cast(pa.int64()).to_pylist()]
        return [None if v is None or not -(2**63) < v < 2**63 else Fraction(v) for v in stamps]
    values = [None if v is None else float(v) if isinstance(v, decimal.Decimal) else v for v in column.to_pylist()]
    if space == "log":
        values = [math.log10(v) if v is not None and v > 0 else None for v in values]
    out = [None if v is None or (isinstance(v, float) and not abs(v) < 2.0**1023) else Fraction(v) for v in values]
    return out


def floor_log2(number: Fraction) -> int:
    guess = number.numerator.bit_length() - number.denominator.bit_length()
    return guess if Fraction(2) ** guess <= number else guess - 1


def root(values: list[Fraction]) -> tuple[Fraction, int]:
    """The start and the exponent of the smallest root, by trying one exponent after the other."""
    low, high = min(values, default=Fraction(0)), max(values, default=Fraction(0))
    if low == high == 0:
        return Fraction(0), 0
    exponent = max(0, floor_log2(abs(low)) - 30) if low == high else floor_log2(high - low) - 1
    while True:
        half = Fraction(2) ** (exponent - 1)
        start = low // half * half
        if low == high or high < start + 2 * half:
            return start, exponent
        exponent += 1


def codes(values: list[Fraction | None], start: Fraction, exponent: int) -> np.ndarray:
    """Cells among the 2^32 of a root; -1 for rows in none."""
    width = Fraction(2) ** (exponent - 32)
    cells = [-1 if v is None else v // width - start // width for v in values]
    return np.array([cell if 0 <= cell < 2**32 else -1 for cell in cells])


def expected(cx: np.ndarray, cy: np.ndarray, place: tuple[int, int, int, int]) -> np.ndarray:
    """The counts of a tile (zx, zy, i, j), row 0 the highest y."""
    zx, zy, i, j = place
    there = (cx >= 0) & (cy >= 0) & (cx >> (32 - zx) == i) & (cy >> (32 - zy) == (1 << zy) - 1 - j)
    out = np.zeros((256, 256), np.uint32)
    np.add.at(out, (255 - (cy[there] >> (24 - zy) & 255), cx[there] >> (24 - zx) & 255), 1)
    return out


def extent_of(answer: dict[str, Any]) -> list[tuple[Fraction, int]]:
    x0, y0, x1, y1 = map(Fraction, answer["extent"])
    return [(x0, floor_log2(x1 - x0)), (y0, floor_log2(y1 - y0))]


def pixel_column(x: Fraction, x0: Fraction, x1: Fraction, width: int, exact: bool) -> int:
    """datashader's column: its affine map in float64, exactly for stamps; the window's last number in the last one."""
    if x == x1:
        return width - 1
    if exact:
        return (x - x0) * width // (x1 - x0)
    scale = width / (float(x1) - float(x0))
    return math.floor(float(x) * scale + -float(x0) * scale)


def segment(image: np.ndarray, x0: int, y0: int, x1: int, y1: int) -> None:
    """Bresenham between two pixels, both drawn, with datashader's rule for ties."""
    dx, dy, sx, sy = abs(x1 - x0), abs(y1 - y0), (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    steep = dy > dx
    long, short, step = (dy, dx, sy) if steep else (dx, dy, sx)
    error = 2 * short - long
    for at in range(long + 1):
        if 0 <= x0 < image.shape[1] and 0 <= y0 < image.shape[0]:
            image[y0, x0] = 1
        if at < long:
            if error > 0 or (error == 0 and step > 0):
                error -= 2 * long
                x0, y0 = (x0 + sx, y0) if steep else (x0, y0 + sy)
            error += 2 * short
            x0, y0 = (x0, y0 + sy) if steep else (x0 + sx, y0)


def drawn(points: list[tuple[int, int] | None], width: int, height: int) -> np.ndarray:
    image = np.zeros((height, width), np.uint8)
    for one, other in pairwise(points):
        if one is not None and other is not None:
            segment(image, *one, *other)
    return image


_HEADER = struct.Struct("<4sBBHIHHIHHQII")
_TYPES = dict(enumerate(("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"), 1))


def frame(data: bytes) -> tuple[int, int, Any, bytes]:
    """Type, request id, JSON and body of a frame of one part."""
    magic, kind, _, _, request, _, _, _, part, parts, _, json_bytes, body_bytes = _HEADER.unpack_from(data)
    assert magic == b"BVZ1" and (part, parts) == (0, 1) and len(data) == 40 + json_bytes + body_bytes <= 2**20
    return kind, request, json.loads(data[40 : 40 + json_bytes] or b"null"), data[40 + json_bytes :]


def leb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def decoded(body: bytes, number: int) -> np.ndarray:
    """A plane of a tile as float64, NaN (0 for counts) where it is empty."""
    codec, dtype, _, filled, offset, length, _, _, constant = struct.unpack_from("<BBHIIIdd8s", body, 40 + 40 * number)
    values, payload = np.dtype("<" + _TYPES.get(dtype, "u1")), body[offset : offset + length]
    out = np.zeros(65_536) if codec in (2, 3) else np.full(65_536, np.nan)
    at = cell = 0
    if codec == 1:
        out[:] = np.frombuffer(constant, values, 1)
    elif codec == 2:
        out[:] = np.frombuffer(payload, values)
    elif codec == 3:
        while at < length:
            empty = payload[at] == 0
            value, at = leb128(payload, at + empty)
            out[cell : cell + 1] = 0 if empty else value
            cell += value if empty else 1
    elif codec == 4:
        runs, many = struct.unpack_from("<II", payload)
        pairs = np.frombuffer(payload, "<u4", 2 * runs, 8).reshape(runs, 2)
        held = np.frombuffer(payload, values, many, -(-(8 + 8 * runs) // 8) * 8)
        for empty, full in pairs.tolist():
            cell += empty
            out[cell : cell + full] = held[at : at + full]
            cell, at = cell + full, at + full
    assert int((~np.isnan(out) & ((out != 0) | (codec == 4))).sum()) == filled
    return out.reshape(256, 256)
