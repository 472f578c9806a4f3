"""Tables that nobody should have: every Arrow type with values at the ends of its range, and names of every kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

__all__ = ["NAMES", "ROWS", "ZONES", "all_null", "empty", "named", "odd", "one_row", "sliced"]

ROWS: Final = 9
NAMES: Final = (
    "", " ", "\0", "a\0b", "n\0labels", "\0labels", "'", '"', "`", "``", "a/b", "..", "\\", "%00", "a&b=c#d?",
    "<b>&amp;</b>", "count(x)", "by(`x`)", "row", "column", "__proto__", "constructor", "NaN", "é日本\u202e",
    "\U0001f600", "\n", "\x1b[31m", "z" * 5_000,
)  # fmt: skip
ZONES: Final = (None, "UTC", "Europe/Berlin", "Mars/Phobos", "+01:00", "+99:99", "-24:00", "é<b>", "\0", "z" * 5_000)
_UNITS: Final = ("s", "ms", "us", "ns")
_TEXTS: Final = [b"b", b"", None, b"\xff\xfe", b"a\0b", "é".encode(), b"<img>", b"b", b"z" * 5_000]
_FLOATS: Final = [
    math.nan,
    math.inf,
    -math.inf,
    -0.0,
    5e-324,
    1.7976931348623157e308,
    -1.7976931348623157e308,
    None,
    1.5,
]
_CODES: Final = [0, 1, None, 2, 0, 3, 1, 0, 2]


def stored(type_: pa.DataType, bits: int = 64) -> pa.Array:
    """An array of a type that is stored as an integer: the ends of the integer, null, and numbers about zero."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    values = [low, low + 1, -1, 0, None, 1, high - 1, high, 86_400_000]
    return pa.array(values, pa.int32() if bits == 32 else pa.int64()).view(type_)


def labelled(labels: pa.Array, index: pa.DataType | None = None, codes: Sequence[int | None] = _CODES) -> pa.Array:
    """A dictionary over some of the labels, with null among its codes."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, index or pa.int8()), labels)


def runs(values: pa.Array) -> pa.Array:
    """Two rows of each of the first four values, and one of the fifth."""
    return pa.RunEndEncodedArray.from_arrays(pa.array([2, 4, 6, 8, 9], pa.int32()), values.slice(0, 5))


def _numbers() -> dict[str, pa.Array]:
    found: dict[str, pa.Array] = {}
    for bits in (8, 16, 32, 64):
        low, high = -(1 << bits - 1), (1 << bits - 1) - 1
        found[f"int{bits}"] = pa.array([low, low, -1, 0, None, 1, high - 1, high, 7], f"int{bits}")
        most = (1 << bits) - 1
        found[f"uint{bits}"] = pa.array([0, most, most - 1, 1 << bits - 1, None, 1, most, 0, 7], f"uint{bits}")
    found["near 2^64"] = pa.array([(1 << 64) - 1 - k for k in range(ROWS)], pa.uint64())
    found["near 2^63"] = pa.array([(1 << 63) - 1 - k for k in range(ROWS)])
    found["near -2^63"] = pa.array([k - (1 << 63) for k in range(ROWS)])
    found["float64"] = pa.array(_FLOATS)
    found["float32"] = pa.array(_FLOATS, pa.float32())
    half = np.array([np.nan, np.inf, -np.inf, -0.0, 6e-8, 65504, -65504, 0, 1.5], np.float16)
    found["float16"] = pa.array(half, mask=np.arange(ROWS) == 7)
    found["no finite"] = pa.array([math.nan, math.inf, -math.inf, None] * 2 + [math.nan])
    found["denormals"] = pa.array([k * 5e-324 for k in range(ROWS)])
    found["2^1022"] = pa.array([math.ldexp(1.0 - k / 4, 1022) for k in range(ROWS)])
    found["2^1023"] = pa.array([math.ldexp(1.0, 1023), -math.ldexp(1.0, 1023), 0.0] * 3)
    found["widest"] = pa.array([math.nextafter(math.ldexp(s, 1023), 0) for s in (1, -1, 1)] * 3)
    found["one"] = pa.array([1e300] * ROWS)
    found["bool"] = pa.array([True, False, None] * 3)
    found["null"] = pa.nulls(ROWS)
    return found


def _unscaled(type_: pa.DataType, values: Sequence[int | None]) -> pa.Array:
    """Decimals of these unscaled integers."""
    raw = b"".join((value or 0).to_bytes(type_.byte_width, "little", signed=True) for value in values)
    valid = np.packbits([value is not None for value in values], bitorder="little")
    return pa.Array.from_buffers(type_, len(values), [pa.py_buffer(valid), pa.py_buffer(raw)])


def _decimals() -> dict[str, pa.Array]:
    found: dict[str, pa.Array] = {}
    makers: list[tuple[Callable[..., pa.DataType], int, int]] = [
        (pa.decimal32, 9, 9), (pa.decimal64, 18, 0), (pa.decimal128, 38, 0), (pa.decimal128, 38, 38),
        (pa.decimal128, 5, -30), (pa.decimal256, 76, 0), (pa.decimal256, 76, 76), (pa.decimal256, 76, 38),
    ]  # fmt: skip
    for make, digits, scale in makers:
        type_, most = make(digits, scale), 10**digits - 1
        found[str(type_)] = _unscaled(type_, [most, -most, 0, None, 1, -1, most, 0, 1])
    return found


def _times() -> dict[str, pa.Array]:
    found = {"date32": stored(pa.date32(), 32), "date64": stored(pa.date64())}
    for unit in _UNITS:
        found[f"duration {unit}"] = stored(pa.duration(unit))
        short = unit in ("s", "ms")
        found[f"time {unit}"] = stored(pa.time32(unit), 32) if short else stored(pa.time64(unit))
        for zone in ZONES if unit == "ns" else ZONES[:4]:
            found[f"stamp {unit} {zone}"] = stored(pa.timestamp(unit, zone))
    return found


def _texts() -> dict[str, pa.Array]:
    valid = [None if text is None else text.decode(errors="replace") for text in _TEXTS]
    raw = pa.array(_TEXTS, pa.binary())
    found = {
        "string": pa.array(valid),
        "large_string": pa.array(valid, pa.large_string()),
        "string_view": pa.array(valid, pa.string_view()),
        "not UTF-8": raw.view(pa.string()),
        "large, not UTF-8": pa.array(_TEXTS, pa.large_binary()).view(pa.large_string()),
        "view, not UTF-8": pa.array(_TEXTS, pa.binary_view()).view(pa.string_view()),
        "binary": raw,
        "large_binary": pa.array(_TEXTS, pa.large_binary()),
        "binary_view": pa.array(_TEXTS, pa.binary_view()),
        "fixed": pa.array([b"abc", b"\0\xff\0", None] * 3, pa.binary(3)),
        "fixed 0": pa.array([b""] * ROWS, pa.binary(0)),
    }
    return found


def _labels(
    texts: dict[str, pa.Array], numbers: dict[str, pa.Array], times: dict[str, pa.Array]
) -> dict[str, pa.Array]:
    values = {**texts, **numbers, **_decimals(), **times}
    found = {}
    for name in (
        "string", "large_string", "string_view", "not UTF-8", "binary", "binary_view", "fixed", "int8", "uint64",
        "float64", "float32", "float16", "bool", "null", "decimal128(38, 38)", "decimal256(76, 0)", "decimal32(9, 9)",
        "date32", "date64", "duration s", "time s", "time ns", "stamp s None", "stamp s Mars/Phobos", "stamp ns UTC",
        "stamp ns +99:99",
    ):  # fmt: skip
        found[f"labels of {name}"] = labelled(values[name])
    found["labels twice"] = labelled(pa.array(["a", "a", None, None, "unused"]))
    found["labels by uint64"] = labelled(pa.array(["b", "a", "c", None]), pa.uint64())
    found["labels, no code"] = labelled(pa.array(["b", "a"]), codes=[None] * ROWS)
    found["no labels"] = labelled(pa.array([], pa.string()), codes=[None] * ROWS)
    found["ordered labels"] = pa.DictionaryArray.from_arrays(
        pa.array(_CODES, pa.int16()), pa.array(list("dcba")), ordered=True
    )
    return found


def _nested(times: dict[str, pa.Array], texts: dict[str, pa.Array]) -> dict[str, pa.Array]:
    stamps = times["stamp s Mars/Phobos"]
    items = pa.array([[1, None], [], None] * 3)
    return {
        "list": items,
        "large_list": items.cast(pa.large_list(pa.int64())),
        "list_view": pa.array([[1, None], [], None] * 3, pa.list_view(pa.int64())),
        "fixed list": pa.array([[1, 2], None, [3, None]] * 3, pa.list_(pa.int64(), 2)),
        "list of stamps": pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), stamps),
        "list not UTF-8": pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), texts["not UTF-8"]),
        "struct": pa.StructArray.from_arrays([stamps, texts["not UTF-8"]], ["when", ""]),
        "struct of nothing": pa.array([{}, None, {}] * 3, pa.struct([])),
        "map": pa.array([[("a", 1)], [], None] * 3, pa.map_(pa.string(), pa.int64())),
        "sparse union": pa.UnionArray.from_sparse(pa.array([0] * ROWS, pa.int8()), [stamps]),
        "dense union": pa.UnionArray.from_dense(
            pa.array([0] * ROWS, pa.int8()), pa.array(range(ROWS), pa.int32()), [texts["not UTF-8"]]
        ),
        "intervals": pa.array([(2**31 - 1, -(2**31), 2**63 - 1), None, (0, 0, 0)] * 3, pa.month_day_nano_interval()),
    }


def _encoded(
    numbers: dict[str, pa.Array], times: dict[str, pa.Array], texts: dict[str, pa.Array]
) -> dict[str, pa.Array]:
    found = {
        f"runs of {name}": runs(values)
        for name, values in {
            "int64": numbers["int64"], "float64": numbers["float64"], "bool": numbers["bool"], "null": numbers["null"],
            "stamps": times["stamp s Mars/Phobos"], "durations": times["duration s"], "days": times["date32"],
            "string": texts["string"], "string_view": texts["string_view"],
            "labels": labelled(pa.array(["b", None, "a", "c"])), "decimals": _decimals()["decimal128(38, 38)"],
        }.items()
    }  # fmt: skip
    found["uuid"] = pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([bytes(range(16)), None, b"\xff" * 16] * 3, pa.binary(16))
    )
    found["bool8"] = pa.ExtensionArray.from_storage(
        pa.bool8(), pa.array([0, 1, -128, None, 127, 0, 0, 0, 0], pa.int8())
    )
    found["json"] = pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(["{", "NaN", None] * 3))
    found["opaque"] = pa.ExtensionArray.from_storage(pa.opaque(pa.int64(), "a", "b"), pa.array(range(ROWS)))
    return found


def odd() -> pa.Table:
    """A column of every type, `x` and `y` usual ones; `ROWS` rows."""
    numbers, times, texts = _numbers(), _times(), _texts()
    columns: dict[str, Any] = {
        "x": pa.array([k / 2 for k in range(ROWS)]),
        "y": pa.array([k % 4 - 1.0 for k in range(ROWS)]),
    }
    columns |= {**numbers, **_decimals(), **times, **texts, **_labels(texts, numbers, times)}
    columns |= {**_nested(times, texts), **_encoded(numbers, times, texts)}
    return pa.table(columns)


def empty() -> pa.Table:
    """The same without rows."""
    return odd().slice(0, 0)


def one_row() -> pa.Table:
    """The first row: every number at the end of its range."""
    return odd().slice(0, 1)


def sliced() -> pa.Table:
    """The rows from the third on in several chunks, each with an offset."""
    table = odd()
    return pa.concat_tables([table.slice(2, 3), table.slice(5, 0), table.slice(5, 4)])


def all_null() -> pa.Table:
    """The types that Arrow makes nulls of, with nothing but nulls; `x` and `y` usual ones."""
    table = odd()
    columns: dict[str, Any] = {name: table[name] for name in ("x", "y")}
    for field in table.schema:
        if (
            field.name not in columns
            and not pa.types.is_union(field.type)
            and not pa.types.is_run_end_encoded(field.type)
        ):
            columns[field.name] = pa.nulls(ROWS, field.type)
    return pa.table(columns)


def named() -> pa.Table:
    """Numbers, texts and times under names of every kind, some of them twice; `x` and `y` usual ones."""
    makers = (
        lambda at: pa.array([at + k / 2 for k in range(ROWS)]),
        lambda at: pa.array(range(at, at + ROWS)),
        lambda at: pa.array([NAMES[(at + k) % len(NAMES)] for k in range(ROWS)]),
        lambda at: pa.array(range(ROWS), pa.timestamp("s", "UTC")),
    )
    names = ["x", "y", "n", *NAMES, "twice", "twice"]
    arrays = [makers[0 if name in ("x", "y") else at % len(makers)](at) for at, name in enumerate(names)]
    return pa.Table.from_arrays(arrays, names=names)
