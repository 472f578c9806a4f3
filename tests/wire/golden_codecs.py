"""The golden planes of `tests/golden/codec_*.bin`, which the Python and the JavaScript decoders must both read alike.

    python tests/wire/golden_codecs.py       # writes the files anew

`codecs.json` lists the cases: a plane header's fields, the file of the payload (null where there is none) and the
expected plane in one of two forms: `cells`, a list of [index, value] of the filled cells, or `rule` [multiplier,
modulus, offset], where cell k holds `k * multiplier % modulus + offset` and a count of 0 is an empty cell. Values are
numbers, or decimal strings where a double would round them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bigviz.wire.codec import CELLS, SIDE, EncodedPlane, encode_counts, encode_values

HERE = Path(__file__).resolve().parent.parent / "golden"

RLEV = [(0, 1), (1, 127), (2, 128), (3, 255), (300, 7), (301, 1), (40_000, 200), (65_000, 3)]
RLEV_WIDE = [(5, 1), (127, 16_383), (128, 16_384), (255, 2_097_152), (65_535, 4_294_967_295)]
RUNS = [(0, 1.5), (1, -2.25), (2, 0.0), (1_000, 1024.0), (1_001, -0.5), (65_535, 3.0)]
RUNS_EXACT = [(10, 0.1), (11, 1e-300), (70, -1e300)]
RUNS_SMALL = [(k, k % 200 - 100) for k in range(512, 600)]
RUNS_WIDE = [(0, -(2**53) - 1), (2, 2**53 + 1), (65_534, 2**62 + 1)]
NARROW = (31, 250, 3)
NARROW_WIDE = (257, 60_000, 0)


def sparse(cells: list[tuple[int, Any]], dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """The plane with these [index, value] cells, and its filled cells."""
    values, filled = np.zeros(CELLS, dtype), np.zeros(CELLS, np.bool_)
    for index, value in cells:
        values[index], filled[index] = value, True
    return values.reshape(SIDE, SIDE), filled.reshape(SIDE, SIDE)


def ruled(rule: tuple[int, int, int]) -> np.ndarray:
    """The plane of counts that a rule describes."""
    multiplier, modulus, offset = rule
    cells = np.arange(CELLS, dtype=np.uint64) * np.uint64(multiplier) % np.uint64(modulus) + np.uint64(offset)
    return cells.astype(np.uint32).reshape(SIDE, SIDE)


def planes() -> dict[str, tuple[EncodedPlane, dict[str, Any]]]:
    """Each case's encoded plane and its expectation."""
    full = np.ones((SIDE, SIDE), np.bool_)
    cases: dict[str, tuple[EncodedPlane, dict[str, Any]]] = {
        "empty": (encode_counts(np.zeros((SIDE, SIDE), np.uint32)), {"cells": []}),
        "constant": (encode_counts(np.full((SIDE, SIDE), 70_000, np.uint32), 3), {"rule": [0, 1, 70_000]}),
        "constant_float": (encode_values(np.full((SIDE, SIDE), -0.5), full), {"rule": [0, 1, -0.5]}),
        "narrow": (encode_counts(ruled(NARROW)), {"rule": list(NARROW)}),
        "narrow_wide": (encode_counts(ruled(NARROW_WIDE)), {"rule": list(NARROW_WIDE)}),
    }
    for name, counts in (("rlev", RLEV), ("rlev_wide", RLEV_WIDE)):
        cases[name] = (encode_counts(sparse(counts, np.uint32)[0]), {"cells": counts})
    cases["runs"] = (encode_values(*sparse(RUNS, np.float64)), {"cells": RUNS})
    cases["runs_exact"] = (encode_values(*sparse(RUNS_EXACT, np.float64)), {"cells": RUNS_EXACT})
    cases["runs_small"] = (encode_values(*sparse(RUNS_SMALL, np.int64)), {"cells": RUNS_SMALL})
    wide = [(index, str(value)) for index, value in RUNS_WIDE]
    cases["runs_wide"] = (encode_values(*sparse(RUNS_WIDE, np.int64), 65_535), {"cells": wide})
    return cases


def files() -> dict[str, bytes]:
    """The golden files by name."""
    out: dict[str, bytes] = {}
    table = []
    for name, (plane, expected) in planes().items():
        case = {
            "name": name,
            "codec": plane.codec,
            "dtype": plane.dtype,
            "plane": plane.plane,
            "filled": plane.filled,
            "low": None if plane.filled == 0 else plane.low,
            "high": None if plane.filled == 0 else plane.high,
            "constant": plane.constant.hex(),
            "payload": f"codec_{name}.bin" if plane.payload else None,
            **expected,
        }
        table.append(json.dumps(case))
        if plane.payload:
            out[f"codec_{name}.bin"] = plane.payload
    out["codecs.json"] = ("[\n" + ",\n".join(table) + "\n]\n").encode()
    return out


if __name__ == "__main__":
    for name, body in files().items():
        (HERE / name).write_bytes(body)
