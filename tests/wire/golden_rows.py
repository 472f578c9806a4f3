"""Golden messages of rows and images, for `golden_frames.py`."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from bigviz.wire.codec import CODES
from bigviz.wire.frames import MAX_FRAME, Part, Type
from bigviz.wire.images import image_parts
from bigviz.wire.rows import rows_parts

COSTS = {"queue_us": 11, "kernel_us": 22, "encode_us": 0, "rows": 1_000, "bytes": 16_000}
WINDOW = ["1700000000000000000", "1700000000000001000", -2.5, 4.0]
ROWS_INFO = {"matched": 9, "window": WINDOW, "xorigin": "1700000000000000500", "yorigin": "0", **COSTS}
X = [-500.0, 0.0, 0.5, 499.0, 1e300]
Y = [1.5, -2.5, -0.0, 1e-300, 3.0]
ROW = [10, 11, 2**53 - 1, 0, 7]
NUMBER = [1, 2, 2**32 - 1, 1, 5]
CODE = [0, 1, 0, 2, 1]
VALUES = {
    "rows": ("u4", NUMBER, None),
    "rows-coded": ("f8", [0.5, -1e300, 5e-324, -0.0, 2.0], CODE),
    "rows-i64": ("i8", [-(2**63), 2**63 - 1, 0, -1, 2**53 + 1], None),
    "rows-any": ("u1", [1, 1, 1, 1, 1], CODE),
}
WIDE = {
    "rows-wide-x": ([-(2**63), 2**63 - 1, 0, 2**53 + 1, -1], Y, {"xwide": True}),
    "rows-wide": (
        [-(2**63), 7, 0, 2**53 + 1, -1],
        [2**62 + 1, -(2**62) - 1, 5, 2**63 - 1, 0],
        {"xwide": True, "ywide": True},
    ),
}
IMAGE_INFO = {"window": WINDOW, "width": 300, "height": 5, "planes": 2, **COSTS}


def rows(name: str, limit: int = MAX_FRAME, n: int = 5) -> tuple[list[Part], dict[str, Any]]:
    dtype, value, code = VALUES[name]
    arrays = [np.array(each[:n]) for each in (X, Y, ROW, NUMBER)]
    codes = None if code is None else np.array(code[:n], np.int32)
    parts = rows_parts(ROWS_INFO, *arrays, codes, np.array(value[:n], dtype), limit)
    texts = [str(v) if dtype == "i8" else v for v in value[:n]]
    about = {"x": X[:n], "y": Y[:n], "row": ROW[:n], "number": NUMBER[:n], "value": texts}
    if code is not None:
        about["code"] = code[:n]
    info = {"n": n, **ROWS_INFO, "dtype": CODES[np.dtype(dtype)], "coded": code is not None}
    return parts, {"json": info, "rows": about}


def wide(name: str) -> tuple[list[Part], dict[str, Any]]:
    """Positions beyond 2^53 from the origin."""
    x, y, told = WIDE[name]
    arrays = [np.array(each) for each in (x, y, ROW, NUMBER)]
    parts = rows_parts(ROWS_INFO, *arrays, None, np.array(NUMBER, "u4"))
    texts = {axis: list(map(str, each)) if f"{axis}wide" in told else each for axis, each in (("x", x), ("y", y))}
    info = {"n": 5, **ROWS_INFO, "dtype": CODES[np.dtype("u4")], "coded": False, **told}
    return parts, {"json": info, "rows": {**texts, "row": ROW, "number": NUMBER, "value": NUMBER}}


def messages(framed: Any, planes: list[Any], describe: Any) -> dict[str, tuple[list[bytes], dict[str, Any]]]:
    """NAME -> (frames, what they hold); `planes` are those of two blocks of two planes."""
    out = {}
    for name in VALUES:
        parts, about = rows(name)
        out[name] = framed(parts, Type.ROWS, request=5, figure=1, layer=2), about
    for name in WIDE:
        parts, about = wide(name)
        out[name] = framed(parts, Type.ROWS, request=5), about
    for name, (kind, limit, n) in {"rows-parts": ("rows-coded", 420, 5), "rows-none": ("rows", 1 << 20, 0)}.items():
        parts, about = rows(kind, limit, n)
        out[name] = framed(parts, Type.ROWS, request=5), about
    for name, limit in {"image": MAX_FRAME, "image-parts": 400}.items():
        parts = image_parts(IMAGE_INFO, planes, limit)
        about = {"json": IMAGE_INFO, "planes": describe(planes)}
        out[name] = framed(parts, Type.IMAGE, request=6, layer=1), about
    return out


def bad(patched: Any, body: int) -> dict[str, bytes]:
    """REASON -> a frame that must be refused; `body` is where a frame's JSON begins."""
    return {
        "a negative number of marks": patched("rows", body, b'{"n":-5'),
        "more marks than said": patched("rows", body, b'{"n":4'),
        "an image of no width": patched("image", body, b'{"width":0,"x"'),
        "an image with a plane too many": patched("image", 14, struct.pack("<H", 5)),
        "an image with a plane too few": patched("image", 14, struct.pack("<H", 3)),
    }
