"""Tables with every kind of column, far rows, lines and borders, for the conformance tests."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pyarrow as pa

ROWS = 2_000
FAR = 4_000
LAT = 85.0511287798066


def kinds() -> pa.Table:
    """A column of every kind, with nulls and with numbers at the ends of their ranges."""
    rng = np.random.default_rng(7)

    def holes(values: Any, share: float = 0.02) -> pa.Array:
        return pa.array(values, mask=rng.random(ROWS) < share)

    normal = rng.normal(size=ROWS)
    odd = normal.copy()
    odd[:8] = [np.nan, np.inf, -np.inf, -0.0, 5e-324, -5e-324, 2.0**-1000, 2.0**1023]
    big = rng.uniform(-1, 1, ROWS) * 2.0**1022
    big[:2] = [np.nextafter(2.0**1023, 0), -(2.0**1023)]
    wide = rng.integers(-(2**63), 2**63 - 1, ROWS, endpoint=True)
    wide[:2] = [-(2**63), 2**63 - 1]
    unsigned = rng.integers(0, 2**64 - 1, ROWS, dtype=np.uint64, endpoint=True)
    unsigned[0] = 2**64 - 1
    seconds = rng.integers(-(10**9), 2 * 10**9, ROWS)
    seconds[:4] = [-9_223_372_037, 9_223_372_037, -9_223_372_036, 9_223_372_036]
    words = np.array(["zebra", "a", "B", "é", "", "10"])[rng.integers(0, 6, ROWS)]
    digits = [decimal.Decimal(int(v)).scaleb(-17) for v in rng.integers(-(2**62), 2**62, ROWS)]
    columns: dict[str, pa.Array] = {
        "odd": holes(odd),
        "f32": holes(normal.astype(np.float32)),
        "f16": pa.array(normal.astype(np.float16)),
        "tiny": pa.array(rng.random(ROWS) * 1e-300),
        "denormal": pa.array(rng.integers(-1000, 1000, ROWS) * 5e-324),
        "huge": pa.array(big),
        "offset": pa.array(1e9 + rng.random(ROWS) * 1e-3),
        "edges": pa.array(rng.integers(-512, 512, ROWS) / 128),
        "i8": holes(rng.integers(-128, 128, ROWS).astype(np.int8)),
        "i64": holes(wide),
        "top": pa.array(2**63 - 1 - rng.integers(0, 1000, ROWS)),
        "u64": holes(unsigned),
        "middle": pa.array(np.uint64(2**63 - 500) + rng.integers(0, 1000, ROWS).astype(np.uint64)),
        "flag": holes(rng.random(ROWS) < 0.5),
        "decimal": pa.array(digits, pa.decimal128(38, 17)),
        "date": holes(rng.integers(-5000, 20000, ROWS).astype(np.int32)).cast(pa.date32()),
        "stamp": pa.array(seconds).cast(pa.timestamp("s")),
        "ms": holes(rng.integers(0, 10**12, ROWS)).cast(pa.timestamp("ms", "America/New_York")),
        "ns": holes(10**18 + rng.integers(0, 4096, ROWS)).cast(pa.timestamp("ns", "UTC")),
        "span": holes(rng.integers(-(10**9), 10**9, ROWS)).cast(pa.duration("us")),
        "time": holes(rng.integers(0, 86_400_000, ROWS).astype(np.int32)).cast(pa.time32("ms")),
        "word": holes(words),
        "coded": holes(words).dictionary_encode(),
        "zero": pa.array(-np.zeros(ROWS)),
        "constant": pa.array(np.full(ROWS, -12345.678)),
        "power": pa.array(np.full(ROWS, 2**62 + 1)),
        "one": pa.array([None] * (ROWS - 1) + [3.75]),
        "none": pa.array([None] * ROWS, pa.float64()),
        "positive": pa.array(10.0 ** rng.uniform(-5, 5, ROWS)),
        "plain": pa.array(normal),
    }
    return pa.table(columns)


def far() -> pa.Table:
    """Columns with fill values: `at_K_L` has K low and L high ones among 4,000 rows; 4 are one in a thousand."""
    rng = np.random.default_rng(8)
    columns = {"plain": rng.random(FAR)}
    for low, high in ((0, 3), (3, 0), (1, 2), (0, 4), (2, 2)):
        column = rng.random(FAR)
        column[rng.permutation(FAR)[: low + high]] = [-9.97e36] * low + [9.97e36] * high
        columns[f"at_{low}_{high}"] = column
    for name, value in (("near", 2.0**11 - 0.5), ("beyond", 2.0**11)):
        columns[name] = rng.random(FAR)
        columns[name][::1500] = value
    return pa.table(columns)


def lines() -> pa.Table:
    """Lines over nanoseconds of 50 years, close ones, integers with duplicates and unsorted floats; y with gaps."""
    rng = np.random.default_rng(9)
    heights = np.round(np.cumsum(rng.normal(size=ROWS)), 1)
    holes = heights.copy()
    holes[rng.random(ROWS) < 0.004] = np.nan
    holes[300:500] = np.nan
    return pa.table(
        {
            "years": pa.array(10**18 + np.sort(rng.integers(0, 50 * 365 * 86_400 * 10**9, ROWS)), pa.timestamp("ns")),
            "close": pa.array(15 * 10**17 + np.sort(rng.integers(0, 4 * ROWS, ROWS)), pa.timestamp("ns", "UTC")),
            "twice": pa.array(np.sort(rng.integers(0, ROWS // 5, ROWS))),
            "unsorted": pa.array(rng.integers(0, ROWS // 3, ROWS) / 3),
            "y": pa.array(heights),
            "gaps": pa.array(holes),
            "dense": pa.array(rng.integers(0, 9, ROWS).astype(np.int16), mask=rng.random(ROWS) < 0.2),
        }
    )


def globe() -> pa.Table:
    """Degrees on borders, at the ends of mercator and beyond them."""
    past, before = np.nextafter(LAT, 90), np.nextafter(180, 0)
    lon = [-180.0, 180.0, 0.0, 90.0, -90.0, before, 45.0, -45.0, 181.0, -181.0]
    return pa.table({"lon": lon, "lat": [0.0, 0.0, 0.0, LAT, -LAT, -LAT, past, -past, 0.0, 0.0]})


def blank() -> pa.Table:
    """No rows."""
    return pa.table({"x": pa.array([], pa.float64()), "y": pa.array([], pa.int32()), "word": pa.array([], pa.string())})


TABLES = {"blank": blank, "kinds": kinds, "far": far, "lines": lines, "globe": globe}
