"""The golden frames of `tests/golden/`: what each message is, and the bytes that both languages must read alike.

A message is two files: NAME.bin, its frames one after the other, and NAME.json: `frames` (their lengths), `header` (of
the first frame) and what the body holds. Numbers over 2**53 are decimal strings; NaN is null. A plane's cells are
`rest` (the value of every cell not listed, null where such a cell is empty) and `cells`, pairs of [index, value].
`bad.json` lists frames that a reader must refuse, as hexadecimal, each with the reason. Planes are written here by
plain loops, without the package's encoder, so they are an oracle for that as well.

    python -m tests.wire.golden_frames         # writes the files anew
"""

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bigviz.wire import frames
from bigviz.wire.codec import CELLS, DTYPES, Codec
from bigviz.wire.columns import columns_parts
from bigviz.wire.frames import HEADER, TILE, Frame, Part, Type, json_parts, parse
from bigviz.wire.tiles import tile_parts

from . import golden_rows

HERE = Path(__file__).resolve().parent.parent / "golden"
EPOCH = 0x0BADCAFE
NAN = float("nan")
INTEGER = {1: "B", 2: "H", 3: "I", 4: "Q", 5: "b", 6: "h", 7: "i", 8: "q", 9: "f", 10: "d"}

Messages = dict[str, tuple[list[bytes], dict[str, Any]]]

SESSION: dict[str, Any] = {
    "set": {
        "layers": {"f0-0": {"agg": "mean(fare)", "cmap": "viridis"}},
        "controls": {"fare": {"value": [1, 2.5]}},
        "ranges": {"x0": ["-5", "9007199254740993"]},
        "sequence": 7,
        "id": 4,
    },
    "notify": {"text": "Grüße"},
}

UPDATE = {
    "datasets": {"trips": {"version": 3, "rows": 1_010, "time": 1790000000.5, "age": 0.0625}},
    "layers": [
        {
            "figure": 0,
            "layer": 1,
            "facts": {"version": 3, "rows": 1_010, "rows_far": 2, "range": [0.5, -1.0, "9007199254740993", 4.0]},
            "changed": [[2, 1, 3, 0], [24, 24, 16_777_215, 0]],
            "rows": False,
        }
    ],
    "anew": [1],
}


@dataclass
class Key:
    zx: int
    zy: int
    i: int
    j: int


@dataclass
class Cost:
    queue_us: int
    kernel_us: int
    encode_us: int
    rows: int
    bytes: int


@dataclass
class Encoded:
    codec: int
    dtype: int
    plane: int
    filled: int
    low: float
    high: float
    constant: bytes = bytes(8)
    payload: bytes = b""
    cells: dict[int, float] = field(default_factory=dict)
    rest: float | None = None


@dataclass
class Tile:
    key: Key
    cost: Cost
    planes: list[Encoded]


def leb128(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return bytes(out)


def holding(codec: int, dtype: int, plane: int, payload: bytes, cells: dict[int, Any], rest: int | None) -> Encoded:
    low, high = min(cells.values()), max(cells.values())
    return Encoded(codec, dtype, plane, len(cells), low, high, payload=payload, cells=cells, rest=rest)


def rlev(cells: dict[int, int], dtype: int, plane: int = 0) -> Encoded:
    out = bytearray()
    at = 0
    for index, value in sorted(cells.items()):
        if index > at:
            out += b"\0" + leb128(index - at)
        out += leb128(value)
        at = index + 1
    return holding(Codec.RLEV, dtype, plane, bytes(out), cells, 0)


def narrow(cells: dict[int, int], dtype: int, plane: int = 0) -> Encoded:
    values = [0] * CELLS
    for index, value in cells.items():
        values[index] = value
    payload = struct.pack(f"<{CELLS}{INTEGER[dtype]}", *values)
    return holding(Codec.NARROW, dtype, plane, payload, cells, 0)


def runs(cells: dict[int, Any], dtype: int, plane: int = 0) -> Encoded:
    pairs: list[list[int]] = []
    at = 0
    for index in sorted(cells):
        if pairs and index == at:
            pairs[-1][1] += 1
        else:
            pairs.append([index - at, 1])
        at = index + 1
    out = bytearray(struct.pack("<II", len(pairs), len(cells)))
    for empty, filled in pairs:
        out += struct.pack("<II", empty, filled)
    out += bytes(-len(out) % 8)
    out += struct.pack(f"<{len(cells)}{INTEGER[dtype]}", *(cells[index] for index in sorted(cells)))
    return holding(Codec.RUNS, dtype, plane, bytes(out), cells, None)


def constant(value: Any, dtype: int, plane: int = 0) -> Encoded:
    raw = struct.pack(f"<{INTEGER[dtype]}", value).ljust(8, b"\0")
    return Encoded(Codec.CONSTANT, dtype, plane, CELLS, value, value, constant=raw, rest=value)


def empty(dtype: int = 1, plane: int = 0) -> Encoded:
    return Encoded(Codec.EMPTY, dtype, plane, 0, NAN, NAN)


DOCUMENT = {
    "format": 1,
    "id": "trips",
    "title": "Trips <b>&</b> ünïcode",
    "datasets": ["trips"],
    "ranges": {"x0": {"start": None, "end": None}, "y0": {"start": "-1700000000000000001", "end": 2.5}},
    "layout": {
        "id": "f0",
        "type": "figure",
        "title": "Trips",
        "x_range": "x0",
        "y_range": "y0",
        "x_axis": {"kind": "linear", "label": None, "unit": None, "zone": None, "categories": None},
        "y_axis": {"kind": "datetime", "label": "when", "unit": None, "zone": "Europe/Paris", "categories": None},
        "aspect": None,
        "width": None,
        "height": None,
        "layers": [
            {
                "id": "f0-0",
                "dataset": "trips",
                "glyph": "points",
                "x": "x",
                "y": "t",
                "agg": "count",
                "cmap": "fire",
                "how": "eq_hist",
                "low": None,
                "high": None,
                "color": None,
                "root": "default",
            }
        ],
    },
}
HELLO = {
    "protocol": 1,
    "server": "bigviz 0.1.0",
    "document": DOCUMENT,
    "datasets": {
        "trips": {
            "rows": 3,
            "version": 1,
            "columns": [
                {"name": "x", "kind": "float", "type": "float", "zone": None, "plottable": True},
                {
                    "name": "t",
                    "kind": "timestamp",
                    "type": "timestamp[ns, tz=Europe/Paris]",
                    "zone": "Europe/Paris",
                    "plottable": True,
                },
            ],
        }
    },
    "cmaps": ["gray", "fire"],
    "limits": {"messages_per_second": 64.0, "tiles_per_view": 1024, "rows": 50000},
}
LUTS = bytes(v for i in range(256) for v in (i, i, i)) + bytes(
    v for i in range(256) for v in (i, i * i // 255, 255 - i)
)
LAYER = {
    "extent": [-4.0, -4.0, 4.0, 4.0],
    "range": [-2.25, -2.5, 2.125, 1.0],
    "root": {"x": ["-4.0", 3], "y": ["1700000000000000000", 41]},
    "rows": 10_000_000,
    "rows_outside": 3,
    "rows_far": 1,
    "version": 1,
    "index": "ready",
    "provisional": False,
    "reduction": "count",
    "planes": None,
    "traits": {
        "plane": "count",
        "by": None,
        "counts": True,
        "additive": True,
        "pixel": "sum",
        "total": "sum",
        "value": {"kind": "integer", "type": "uint32", "unit": None, "zone": None},
    },
    "x": {"column": "x", "kind": "float", "zone": None, "categories": None},
    "y": {"column": "t", "kind": "timestamp", "zone": "Europe/Paris", "categories": None},
    "sorted": False,
}
ESTIMATE = {"share": 0.03125, "error": 12.5, "start": False}
NO_ERROR = {"share": 1.0, "error": None, "start": True}
ONE = Cost(101, 202, 303, 404, 505)
COUNTS = {0: 1, 1: 127, 2: 128, 300: 255, 301: 16_384, 65_535: 70_000}
MANY = {655 * k: 1 + 2 * k for k in range(101)}
TILES = {
    "tile-empty": Tile(Key(0, 0, 0, 0), ONE, [empty()]),
    "tile-constant": Tile(Key(24, 3, 16_777_215, 7), ONE, [constant(-3, 8)]),
    "tile-constant-count": Tile(Key(2, 2, 1, 3), ONE, [constant(9, 1)]),
    "tile-narrow-u8": Tile(Key(1, 1, 0, 1), ONE, [narrow(MANY, 1)]),
    "tile-rlev": Tile(Key(3, 4, 5, 6), Cost(2**32 - 1, 0, 0, 2**40 + 1, 2**50 + 3), [rlev(COUNTS, 3)]),
    "tile-rlev-u64": Tile(Key(0, 0, 0, 0), ONE, [rlev({5: 2**63 + 5, 6: 1}, 4)]),
    "tile-runs-f32": Tile(Key(1, 0, 1, 0), ONE, [runs({3: -0.5, 4: 1.5, 9: 3.25, 65_535: -1e30}, 9)]),
    "tile-runs-f64": Tile(Key(1, 0, 1, 0), ONE, [runs({0: 1e-300, 256: -2.5}, 10)]),
    "tile-runs-i8": Tile(Key(1, 0, 1, 0), ONE, [runs({1: -128, 2: 0, 3: 127}, 5)]),
    "tile-runs-i16": Tile(Key(1, 0, 1, 0), ONE, [runs({1: -32_768, 70: 1}, 6)]),
    "tile-runs-i32": Tile(Key(1, 0, 1, 0), ONE, [runs({1: -(2**31), 70: 1}, 7)]),
    "tile-runs-i64": Tile(Key(1, 0, 1, 0), ONE, [runs({1: -(2**63), 70: 2**63 - 1}, 8)]),
    "tile-runs-u16": Tile(Key(1, 0, 1, 0), ONE, [runs({1: 65_535, 2: 0}, 2)]),
    "tile-by": Tile(Key(1, 1, 1, 1), ONE, [rlev(COUNTS, 3, 0), empty(1, 1), constant(2, 1, 2), rlev({17: 3}, 1, 3)]),
}
COLUMNS_INFO = {
    "width": 4,
    "xorigin": "1700000000000000000",
    "yorigin": "0",
    "flagged": [2],
    "queue_us": 11,
    "kernel_us": 22,
    "encode_us": 0,
    "rows": 1_000,
    "bytes": 16_000,
}
COLUMNS = (
    [-1, 0, 0, 1, 2, 2, 4],
    [0, 0, 0, 0, 1, 2, 2],
    [10, 11, 15, 22, 31, 39, 2**53 - 1],
    [-250.0, 0.0, 0.5, 1000.0, 2000.25, 2001.0, 9e9],
    [1.5, -2.5, 0.0, 1e300, -1e-300, 4.0, 5.0],
)


def framed(parts: list[Part], kind: Type, sequence: int = 1, **where: int) -> list[bytes]:
    return frames.frames(kind, parts, sequence=sequence, epoch=EPOCH, **where)


def messages() -> Messages:
    """NAME -> (frames, what they hold)."""
    planes = [rlev(COUNTS, 3, 0), empty(1, 1), constant(2, 1, 0), rlev({17: 3}, 1, 1)]

    def described(held: list[Encoded]) -> Any:
        return describe(Tile(Key(0, 0, 0, 0), ONE, held))["planes"]

    rows = golden_rows.messages(framed, planes, described)
    return {**json_messages(), **tile_messages(), **columns_messages(), **rows}


def json_messages() -> Messages:
    texts = {
        "hello": (Type.HELLO, HELLO, {}),
        "layer": (Type.LAYER, LAYER, {"request": 7, "figure": 1, "layer": 2}),
        "progress": (
            Type.PROGRESS,
            {"stage": "order", "done": 0.25, "rows": 2_500_000, "seconds": 0.125},
            {"request": 7},
        ),
        "done": (
            Type.DONE,
            {"tiles": 16, "queue_us": 1, "kernel_us": 2, "encode_us": 3, "rows": 4, "bytes": 5},
            {"request": 2**32 - 1},
        ),
        "error": (
            Type.ERROR,
            {"error": 'no column "fair" in trips: did you mean "fare"?', "field": "x", "got": "fair"},
            {"request": 9},
        ),
        "changed": (
            Type.CHANGED,
            {"dataset": "trips", "version": 2, "rows": 1_000, "time": 1790000000.25, "age": 0.125},
            {"sequence": 2**40},
        ),
    }
    texts["update"] = (Type.UPDATE, UPDATE, {"request": 5})
    texts["session"] = (Type.SESSION, SESSION, {})
    out: Messages = {}
    for name, (kind, payload, where) in texts.items():
        body = LUTS if kind == Type.HELLO else b""
        out[name] = framed(json_parts(payload, body), kind, **where), {"json": payload, "body": body.hex()}
    whole = {"json": HELLO, "body": LUTS.hex()}
    out["hello-parts"] = framed(json_parts(HELLO, LUTS, 1_640), Type.HELLO), whole
    return out


def tile_messages() -> Messages:
    out: Messages = {}
    for name, tile in TILES.items():
        out[name] = framed(tile_parts(tile), Type.TILE, request=3, figure=1, layer=1), describe(tile)
    tile = TILES["tile-rlev"]
    parts = tile_parts(tile, estimate=ESTIMATE)
    about = {**describe(tile), "estimate": ESTIMATE}
    out["tile-estimate"] = framed(parts, Type.TILE, request=3, figure=1, layer=1), about
    tile = TILES["tile-by"]
    parts = tile_parts(tile, 260, NO_ERROR)
    out["tile-estimate-parts"] = framed(parts, Type.TILE, request=3), {**describe(tile), "estimate": NO_ERROR}
    out["tile-parts"] = framed(tile_parts(tile, 200), Type.TILE, request=3), describe(tile)
    return out


def columns_messages() -> Messages:
    held = dict(zip(("column", "run", "row", "x", "y"), COLUMNS, strict=True))
    about = {"json": {"n": 7, **COLUMNS_INFO}, "columns": held}
    far = [*COLUMNS[:4], np.array([-(2**63), 2**63 - 1, 0, 2**53 + 1, -1, 7, 2**62])]
    wide = {**held, "y": [str(v) for v in far[4].tolist()]}
    kept = {**COLUMNS_INFO, "kept": 12}
    estimated = {"json": {"n": 7, **COLUMNS_INFO, **NO_ERROR}, "columns": held, "estimate": NO_ERROR}
    none = {"json": {"n": 0, **COLUMNS_INFO}, "columns": {name: [] for name in held}}
    found = {
        "columns": (columns_parts(COLUMNS_INFO, COLUMNS), about),
        "columns-parts": (columns_parts(COLUMNS_INFO, COLUMNS, 400), about),
        "columns-estimate": (columns_parts(COLUMNS_INFO, COLUMNS, 440, NO_ERROR), estimated),
        "columns-wide": (
            columns_parts(COLUMNS_INFO, far),
            {"json": {"n": 7, **COLUMNS_INFO, "ywide": True}, "columns": wide},
        ),
        "columns-none": (columns_parts(COLUMNS_INFO, [()] * 5), none),
        "columns-kept": (columns_parts(kept, COLUMNS), {"json": {"n": 7, **kept}, "columns": held}),
    }
    return {name: (framed(parts, Type.COLUMNS, request=4), told) for name, (parts, told) in found.items()}


def describe(tile: Tile) -> dict[str, Any]:
    def value(v: float | None) -> float | str | None:
        if v is None or v != v:
            return None
        return str(v) if isinstance(v, int) and abs(v) > 2**53 else v

    return {
        "tile": {**vars(tile.key), **{k: value(v) for k, v in vars(tile.cost).items()}},
        "planes": [
            {
                "codec": int(p.codec),
                "dtype": p.dtype,
                "plane": p.plane,
                "filled": p.filled,
                "low": value(float(p.low)),
                "high": value(float(p.high)),
                "rest": value(p.rest),
                "cells": [[k, value(v)] for k, v in sorted(p.cells.items())],
            }
            for p in tile.planes
        ],
    }


def bad() -> dict[str, bytes]:
    """REASON -> a frame that must be refused."""

    def patched(name: str, at: int, raw: bytes) -> bytes:
        data = bytearray(messages()[name][0][0])
        data[at : at + len(raw)] = raw
        return bytes(data)

    body = HEADER.size
    plane = body + TILE.size
    whole = messages()["tile-rlev"][0][0]
    return {
        "shorter than the header": whole[:39],
        "nothing": b"",
        "another magic": patched("done", 0, b"BVZ2"),
        "type 0": patched("done", 4, b"\0"),
        "type 13": patched("done", 4, b"\x0d"),
        "part 1 of 1": patched("done", 20, b"\1"),
        "0 parts": patched("done", 22, b"\0"),
        "more JSON than the frame holds": patched("done", 32, struct.pack("<I", 1 << 30)),
        "more body than the frame holds": patched("tile-rlev", 36, struct.pack("<I", 2**32 - 1)),
        "cut short": whole[:-1],
        "one byte too many": whole + b"\0",
        "longer than 1 MiB": whole + bytes(1 << 20),
        "JSON that is not UTF-8": patched("done", body + 2, b"\xff"),
        "JSON that is not JSON": patched("done", body, b"["),
        "more planes than headers": patched("tile-rlev", 14, struct.pack("<H", 200)),
        "fewer planes than the tile has": patched("tile-by", 14, struct.pack("<H", 3)),
        "level 25": patched("tile-rlev", body, b"\x19"),
        "a column outside its level": patched("tile-rlev", body + 4, struct.pack("<I", 8)),
        "a row outside its level": patched("tile-rlev", body + 8, struct.pack("<I", 16)),
        "codec 5": patched("tile-rlev", plane, b"\5"),
        "dtype 0": patched("tile-rlev", plane + 1, b"\0"),
        "dtype 11": patched("tile-rlev", plane + 1, b"\x0b"),
        "more filled cells than cells": patched("tile-rlev", plane + 4, struct.pack("<I", CELLS + 1)),
        "a payload that is not aligned": patched("tile-rlev", plane + 8, struct.pack("<I", 84)),
        "a payload inside the headers": patched("tile-rlev", plane + 8, struct.pack("<I", 72)),
        "a payload that ends after the body": patched("tile-rlev", plane + 12, struct.pack("<I", 2**32 - 1)),
        "an empty plane with a payload": patched("tile-empty", plane + 12, struct.pack("<I", 8)),
        "a narrow plane of the wrong length": patched("tile-rlev", plane, b"\2"),
        "fewer rows than said": patched("columns", body, b'{"n":8,'),
        "an estimate without its JSON": patched("tile-rlev", 5, b"\1"),
        "an estimate of no share": patched("tile-estimate", body, b'{"share":0.00000'),
        "an estimate of a negative error": patched("tile-estimate", body, b'{"share":0.03125,"error":-2.5'),
        "a negative number of rows": patched("columns", body, b'{"n":-1'),
        **golden_rows.bad(patched, body),
    }


def read(name: str) -> tuple[list[bytes], dict[str, Any]]:
    """The frames and the description of a golden message, from its files."""
    described = json.loads((HERE / f"{name}.json").read_text())
    data = (HERE / f"{name}.bin").read_bytes()
    frames = []
    for length in described["frames"]:
        frames.append(data[:length])
        data = data[length:]
    assert not data
    return frames, described


def files() -> dict[str, bytes]:
    """File name -> content, of the whole directory."""
    out = {
        "bad.json": (
            json.dumps({reason: data.hex() for reason, data in bad().items() if len(data) < 2_000}, indent=1) + "\n"
        ).encode()
    }
    for name, (data, about) in messages().items():
        first: Frame = parse(data[0])
        fields = ("type", "flags", "layer", "request", "figure", "planes", "epoch", "part", "parts", "sequence")
        described = {"frames": [len(f) for f in data], "header": {f: getattr(first, f) for f in fields}, **about}
        out[f"{name}.bin"] = b"".join(data)
        out[f"{name}.json"] = (json.dumps(described, ensure_ascii=False) + "\n").encode()
    return out


assert len(DTYPES) == len(INTEGER)

if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for name, content in files().items():
        (HERE / name).write_bytes(content)
