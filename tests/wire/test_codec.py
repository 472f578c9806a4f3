import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.wire.codec import (
    CELLS,
    CONSTANT,
    DTYPES,
    EMPTY,
    NARROW,
    RLEV,
    RUNS,
    SIDE,
    EncodedPlane,
    add_counts,
    add_values,
    decode,
    encode_counts,
    encode_values,
)

from . import golden_codecs as golden


def counts_plane(seed: int, share: float, most: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    filled = rng.random((SIDE, SIDE)) < share
    return np.where(filled, rng.integers(1, most + 1, (SIDE, SIDE)), 0).astype(np.uint32)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 1e-5, 1e-3, 0.06, 0.07, 0.5, 0.95, 1.0]),
    st.sampled_from([1, 2, 127, 128, 255, 256, 65_535, 65_536, 2**21, 2**28, 2**32 - 1]),
)
def test_counts_come_back_and_travel_as_the_smallest(seed: int, share: float, most: int) -> None:
    plane = counts_plane(seed, share, most)
    encoded = encode_counts(plane, 7)
    values, filled = decode(encoded)
    assert (values == plane).all() and (filled == (plane > 0)).all()
    assert encoded.plane == 7 and encoded.filled == filled.sum()
    if encoded.filled:
        assert (encoded.low, encoded.high) == (plane[filled].min(), plane.max())
        assert encoded.dtype == next(code for code in (1, 2, 3) if plane.max() <= np.iinfo(DTYPES[code]).max)
    narrow, stream = CELLS * DTYPES[encoded.dtype].itemsize, plain_rlev(plane)
    if encoded.codec in (NARROW, RLEV):
        assert encoded.codec == (RLEV if len(stream) < narrow else NARROW)
        assert len(encoded.payload) == min(len(stream), narrow)
    if encoded.codec == RLEV:
        assert encoded.payload == stream


def plain_rlev(plane: np.ndarray) -> bytes:
    """The stream as docs/protocol.md words it."""

    def leb(number: int) -> bytes:
        out = bytearray()
        while number >= 128:
            out.append(number & 127 | 128)
            number >>= 7
        return bytes([*out, number])

    out = bytearray()
    empty = 0
    for count in plane.ravel().tolist():
        if count == 0:
            empty += 1
            continue
        if empty:
            out += b"\0" + leb(empty)
            empty = 0
        out += leb(count)
    return bytes(out)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 1e-3, 0.06, 0.5, 1.0]),
    st.sampled_from([1, 3, 300, 2**16 - 1, 2**20]),
    st.sampled_from([(0, 0), (1, 1), (0, 1), (3, 0), (0, 8), (8, 0)]),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_encoded_counts_are_added_where_they_belong(
    seed: int, share: float, most: int, less: tuple[int, int], at: tuple[float, float]
) -> None:
    plane = counts_plane(seed, share, most)
    if most == 3 and share == 1.0:
        plane[:] = 3  # a constant
    rows, columns = (SIDE >> halvings for halvings in less)
    place = round(at[0] * (SIDE - rows)), round(at[1] * (SIDE - columns))
    out = counts_plane(seed + 1, 0.3, 9)
    expected = out.copy()
    sums = plane.reshape(rows, SIDE // rows, columns, SIDE // columns).sum(axis=(1, 3), dtype=np.uint32)
    expected[place[0] : place[0] + rows, place[1] : place[1] + columns] += sums
    add_counts(encode_counts(plane), out, place, less)
    assert (out == expected).all()


@pytest.mark.parametrize("own", ["f4", "f8", "i2", "i8", "u8"])
@pytest.mark.parametrize("share", [0.0, 1e-3, 0.5, 1.0])
def test_encoded_values_are_added_where_they_belong(own: str, share: float) -> None:
    rng = np.random.default_rng(3)
    wide = {"f": "f8", "i": "i8", "u": "u8"}[own[0]]
    plane, filled = rng.normal(0, 1000, (SIDE, SIDE)).astype(own), rng.random((SIDE, SIDE)) < share
    for values in (plane, np.full_like(plane, 7)):
        out = rng.normal(0, 1000, (SIDE, SIDE)).astype(wide)
        expected = np.where(filled, out + values.astype(wide), out)
        add_values(encode_values(values, filled), out)
        assert out.dtype == wide and out.tobytes() == expected.tobytes()


def test_damaged_runs_are_not_added() -> None:
    encoded = encode_values(np.ones((SIDE, SIDE)) * np.arange(SIDE), np.arange(CELLS).reshape(SIDE, SIDE) % 2 == 0)
    pairs, count = np.array([[1, 1]] * (CELLS // 2), np.uint32), CELLS // 2
    for at, value in ((0, CELLS), (0, 1 << 31), (count - 1, CELLS)):
        for k in (0, 1):
            damaged = pairs.copy()
            damaged[at, k] = value
            payload = encoded.payload[:8] + damaged.tobytes() + encoded.payload[8 + damaged.nbytes :]
            for read in (decode, lambda plane: add_values(plane, np.zeros((SIDE, SIDE)))):
                with pytest.raises(BadInput, match="the runs hold"):
                    read(replace(encoded, payload=payload))
    with pytest.raises(BadInput, match="bytes"):
        add_values(replace(encoded, payload=encoded.payload[:-4]), np.zeros((SIDE, SIDE)))


def test_planes_of_values_are_not_added_as_counts() -> None:
    encoded = encode_values(np.ones((SIDE, SIDE)) * np.arange(SIDE), np.ones((SIDE, SIDE), np.bool_))
    with pytest.raises(BadInput, match="codec"):
        add_counts(encoded, np.zeros((SIDE, SIDE), np.uint32), (0, 0))


def test_empty_and_constant_planes_have_no_payload() -> None:
    empty = encode_counts(np.zeros((SIDE, SIDE), np.uint32))
    assert (empty.codec, empty.payload, empty.filled) == (EMPTY, b"", 0)
    assert math.isnan(empty.low) and math.isnan(empty.high)
    same = encode_counts(np.full((SIDE, SIDE), 300, np.uint32))
    assert (same.codec, same.dtype, same.payload) == (CONSTANT, 2, b"")
    assert same.constant == (300).to_bytes(8, "little")
    values, filled = decode(same)
    assert (values == 300).all() and filled.all()


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0.0, 1e-4, 0.01, 0.5, 1.0]),
    st.sampled_from(["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]),
)
def test_values_come_back_to_the_bit(seed: int, share: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    filled = rng.random((SIDE, SIDE)) < share
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        values = (rng.normal(size=(SIDE, SIDE)) * 10.0 ** rng.integers(-30, 30)).astype(dtype)
        values[rng.random((SIDE, SIDE)) < 0.1] = -0.0
    else:
        bits = rng.integers(1, dtype.itemsize * 8 - 1)
        low = 0 if dtype.kind == "u" else -(1 << bits)
        values = rng.integers(low, 1 << bits, (SIDE, SIDE)).astype(dtype)
    encoded = encode_values(values, filled)
    back, mask = decode(encoded)
    assert (mask == filled).all()
    assert back.dtype == DTYPES[encoded.dtype] and back.dtype.itemsize <= dtype.itemsize
    assert back[mask].astype(dtype).tobytes() == values[mask].tobytes()
    if filled.any():
        assert (encoded.low, encoded.high) == (float(values[mask].min()), float(values[mask].max()))


def test_values_may_be_nan_and_infinite() -> None:
    values = np.zeros((SIDE, SIDE))
    filled = np.zeros((SIDE, SIDE), np.bool_)
    filled[0, :3] = True
    values[0, :3] = np.nan, np.inf, -1.0
    encoded = encode_values(values, filled)
    assert encoded.dtype == 9 and (encoded.low, encoded.high) == (-1.0, np.inf)
    back, mask = decode(encoded)
    assert np.array_equal(back[mask], values[filled].astype(np.float32), equal_nan=True)
    filled[0, 1:] = False
    alone = encode_values(values, filled)
    assert alone.codec == RUNS and math.isnan(alone.low) and np.isnan(decode(alone)[0][0, 0])


def test_floats_travel_as_float32_only_where_exact() -> None:
    filled = np.ones((SIDE, SIDE), np.bool_)
    assert encode_values(np.full((SIDE, SIDE), 0.1), filled).dtype == 10
    assert encode_values(np.full((SIDE, SIDE), 0.5), filled).dtype == 9
    assert encode_values(np.full((SIDE, SIDE), 1e300), filled).dtype == 10


@pytest.mark.parametrize("name", golden.planes())
def test_golden_planes(name: str) -> None:
    case = next(case for case in json.loads((golden.HERE / "codecs.json").read_text()) if case["name"] == name)
    payload = b"" if case["payload"] is None else (golden.HERE / case["payload"]).read_bytes()
    low, high = (math.nan if case[key] is None else case[key] for key in ("low", "high"))
    plane = EncodedPlane(
        case["codec"], case["dtype"], case["plane"], case["filled"], low, high, bytes.fromhex(case["constant"]), payload
    )
    encoded = golden.planes()[name][0]
    assert repr(replace(encoded, codec=int(encoded.codec))) == repr(plane)
    values, filled = decode(plane)
    if "rule" in case:
        multiplier, modulus, offset = case["rule"]
        expected = np.arange(CELLS) * multiplier % modulus + offset
        assert (values.ravel() == expected).all() and (filled.ravel() == (expected != 0)).all()
    else:
        cells = [(int(k), values.ravel()[k].item()) for k in np.flatnonzero(filled.ravel())]
        assert cells == [(k, type(cells[0][1])(value)) for k, value in case["cells"]]


def test_golden_files_are_what_the_encoder_writes() -> None:
    for name, body in golden.files().items():
        assert (golden.HERE / name).read_bytes() == body, f"{name}: run tests/wire/golden_codecs.py"


BAD_RLEV = {
    "run without a length": b"\0",
    "run of none": b"\0\0",
    "run past the plane": b"\0\x81\x80\x04",
    "count past the plane": b"\0\x80\x80\x04\x05",
    "count cut off": b"\x80",
    "count of more than 64 bits": b"\xff" * 9 + b"\x02",
    "count that never ends": b"\xff" * 20,
    "count above its dtype": b"\x80\x02",
    "count of zero in two bytes": b"\x80\x00",
}


@pytest.mark.parametrize("payload", BAD_RLEV.values(), ids=BAD_RLEV)
def test_damaged_streams_are_refused(payload: bytes) -> None:
    with pytest.raises(BadInput, match="damaged at byte"):
        decode(EncodedPlane(RLEV, 1, 0, 1, 1.0, 1.0, payload=payload))


def words(*numbers: int) -> bytes:
    return np.array(numbers, "<u4").tobytes()


BAD_RUNS = {
    "nothing": b"",
    "half a head": words(1),
    "more runs than bytes": words(2**31, 0),
    "values missing": words(1, 2, 0, 2) + bytes(1),
    "values too many": words(1, 1, 0, 1) + bytes(2),
    "runs and values differ": words(1, 2, 0, 1) + bytes(2),
    "past the plane": words(1, 2, 65_535, 2) + bytes(2),
    "sum wraps": words(2, 1, 2**32 - 1, 1, 1, 0) + bytes(1),
}


@pytest.mark.parametrize("payload", BAD_RUNS.values(), ids=BAD_RUNS)
def test_damaged_runs_are_refused(payload: bytes) -> None:
    with pytest.raises(BadInput):
        decode(EncodedPlane(RUNS, 1, 0, 1, 1.0, 1.0, payload=payload))


@pytest.mark.parametrize(
    ("plane", "field"),
    [
        (EncodedPlane(5, 1, 0, 0, 0.0, 0.0), "codec"),
        (EncodedPlane(RLEV, 0, 0, 0, 0.0, 0.0), "dtype"),
        (EncodedPlane(EMPTY, 11, 0, 0, 0.0, 0.0), "dtype"),
        (EncodedPlane(NARROW, 9, 0, 0, 0.0, 0.0), "dtype"),
        (EncodedPlane(RLEV, 8, 0, 0, 0.0, 0.0), "dtype"),
        (EncodedPlane(NARROW, 2, 0, 0, 0.0, 0.0, payload=bytes(CELLS)), "payload"),
        (EncodedPlane(CONSTANT, 1, 0, 0, 0.0, 0.0, constant=b""), "constant"),
    ],
)
def test_headers_are_checked(plane: EncodedPlane, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(plane)
    assert caught.value.field == field


@settings(max_examples=300, deadline=None)
@given(st.integers(2, 4), st.integers(1, 10), st.binary(max_size=200), st.integers(0, 3), st.integers(0, 2**32))
def test_hostile_bytes_are_read_or_refused(codec: int, dtype: int, body: bytes, cut: int, seed: int) -> None:
    payload = body
    if cut:
        plane = counts_plane(seed, 0.001, 300)
        valid = encode_counts(plane) if codec != RUNS else encode_values(plane, plane > 0)
        at = seed % max(len(valid.payload), 1)
        payload = valid.payload[:at] + body[:cut] + valid.payload[at + cut :]
    try:
        values, filled = decode(replace(EncodedPlane(codec, dtype, 0, 0, 0.0, 0.0), payload=payload))
    except BadInput:
        return
    assert values.shape == filled.shape == (SIDE, SIDE) and values.dtype == DTYPES[dtype]
