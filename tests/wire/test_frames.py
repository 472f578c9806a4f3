"""Frames: golden bytes, round trips, and that no bytes whatever do more than raise ProtocolError."""

import contextlib
import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.wire.codec import Codec
from bigviz.wire.columns import ColumnsMessage, columns_parts, read_columns
from bigviz.wire.frames import HEADER, MAX_FRAME, Part, ProtocolError, Reassembler, Type, json_parts, parse, read_json
from bigviz.wire.images import ImageMessage, read_image
from bigviz.wire.rows import RowsMessage, read_rows
from bigviz.wire.tiles import TileMessage, read_tile, tile_parts

from . import golden_frames as golden

NAMES = sorted(golden.messages())


def read_any(frames: list[bytes]) -> object:
    """What a client does with the bytes of a message."""
    assembler = Reassembler()
    whole = None
    for data in frames:
        assert whole is None
        whole = assembler.add(parse(data))
    if whole is None:
        raise ProtocolError("parts are missing")
    if whole[0].type == Type.TILE:
        return read_tile(whole)
    if whole[0].type in (Type.ROWS, Type.IMAGE):
        return read_rows(whole) if whole[0].type == Type.ROWS else read_image(whole)
    return read_columns(whole) if whole[0].type == Type.COLUMNS else read_json(whole)


def test_the_golden_files_are_what_the_code_writes():
    assert {name: (golden.HERE / name).read_bytes() for name in golden.files()} == golden.files()


@pytest.mark.parametrize("name", NAMES)
def test_golden_messages_are_read_back(name: str):
    frames, about = golden.read(name)
    first = parse(frames[0])
    assert {key: getattr(first, key) for key in about["header"]} == about["header"]
    assert all(len(data) % 8 == 0 for data in frames), "payloads stay aligned when frames lie side by side"
    found = read_any(frames)
    if isinstance(found, TileMessage):
        assert {key: getattr(found, key) for key in about["tile"]} == about["tile"]
        assert found.estimate == about.get("estimate")
        for plane, expected in zip(found.planes, about["planes"], strict=True):
            for key in ("codec", "dtype", "plane", "filled"):
                assert getattr(plane, key) == expected[key]
            assert plane.low == expected["low"] or (math.isnan(plane.low) and expected["low"] is None)
    elif isinstance(found, RowsMessage):
        assert found.info == about["json"]
        for key, values in about["rows"].items():
            assert getattr(found, key).tolist() == [int(v) if isinstance(v, str) else v for v in values]
        assert (found.code is None) == ("code" not in about["rows"])
    elif isinstance(found, ImageMessage):
        assert found.info == about["json"]
        for plane, expected in zip(found.planes, about["planes"], strict=True):
            facts = {key: getattr(plane, key) for key in ("codec", "dtype", "plane", "filled")}
            assert facts.items() <= expected.items()
    elif isinstance(found, ColumnsMessage):
        assert found.info == about["json"] and found.estimate == about.get("estimate")
        for key, values in about["columns"].items():
            assert getattr(found, key).tolist() == [int(v) if isinstance(v, str) else v for v in values]
    else:
        value, body = found
        assert (value, body.hex()) == (about["json"], about["body"])


@pytest.mark.parametrize("reason", sorted(golden.bad()))
def test_bad_frames_are_refused(reason: str):
    with pytest.raises(ProtocolError):
        read_any([golden.bad()[reason]])


@settings(max_examples=300)
@given(st.sampled_from(NAMES), st.data())
def test_damaged_frames_raise_nothing_else(name: str, data: st.DataObject):
    frames = [bytearray(frame) for frame in golden.messages()[name][0]]
    for _ in range(data.draw(st.integers(1, 4))):
        frame = data.draw(st.sampled_from(frames))
        at = data.draw(st.integers(0, min(len(frame), 200) - 1))
        frame[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        read_any([bytes(frame) for frame in frames])


@given(st.binary(max_size=200))
def test_noise_raises_nothing_else(data: bytes):
    with pytest.raises(ProtocolError):
        read_any([data])


@given(st.text(max_size=300), st.integers(0, 40), st.integers(16, 40))
def test_json_is_split_at_any_limit(text: str, body: int, limit: int):
    limit = HEADER.size + 8 * limit
    parts = json_parts({"t": text}, b"\7" * body * 2, limit)
    frames = golden.framed(parts, Type.HELLO)
    assert all(len(f) <= limit for f in frames)
    assert read_any(frames) == ({"t": text}, b"\7" * body * 2)


@given(st.integers(0, 400), st.integers(40, 200))
def test_columns_are_split_at_any_limit(rows: int, more: int):
    column = np.arange(rows, dtype=np.int32)
    arrays = [column, column % 3, column.astype(np.int64) * 10, column / 7, -column / 3]
    limit = 400 + more
    parts = columns_parts(golden.COLUMNS_INFO, arrays, limit)
    frames = golden.framed(parts, Type.COLUMNS)
    assert all(len(f) <= limit for f in frames)
    found = read_any(frames)
    assert found.info == {**golden.COLUMNS_INFO, "n": rows}
    for name, array in zip(("column", "run", "row", "x", "y"), arrays, strict=True):
        np.testing.assert_array_equal(getattr(found, name), array)


def test_parts_of_two_tiles_may_alternate_but_not_come_out_of_order():
    def tile(i: int) -> list[bytes]:
        planes = [golden.rlev({k: 1 + k}, 1, k) for k in range(3)]
        return golden.framed(
            tile_parts(golden.Tile(golden.Key(1, 1, i, 0), golden.ONE, planes), 130), Type.TILE, request=5
        )

    left, right = ([parse(data) for data in tile(i)] for i in (0, 1))
    assert len(left) == 3
    assembler = Reassembler()
    done = [assembler.add(frame) for pair in zip(left, right, strict=True) for frame in pair]
    assert [d is not None for d in done] == [False, False, False, False, True, True]
    assert [read_tile(d).i for d in done if d] == [0, 1]
    with pytest.raises(ProtocolError, match="part 2 of 3 where part 0"):
        assembler.add(left[2])


def test_unfinished_messages_are_bounded():
    assembler = Reassembler(most=2)
    parts = json_parts({}) * 2
    first, second, third = (parse(golden.framed(parts, Type.LAYER, request=n)[0]) for n in (1, 2, 3))
    assert (assembler.add(first), assembler.add(second)) == (None, None)
    with pytest.raises(ProtocolError, match="more than 2 messages"):
        assembler.add(third)


def test_the_queue_time_is_each_viewers_own():
    parts = tile_parts(golden.TILES["tile-by"], 200)
    mine = [parse(data) for data in golden.framed(parts, Type.TILE, queue_us=77)]
    theirs = [parse(data) for data in golden.framed(parts, Type.TILE)]
    assert repr(read_tile(mine)) == repr(dataclasses.replace(read_tile(theirs), queue_us=77))
    assert read_tile(mine).queue_us == 77


def test_what_does_not_fit_is_refused_when_writing():
    with pytest.raises(ValueError, match="not fit"):
        json_parts({}, bytes(MAX_FRAME))
    with pytest.raises(ValueError, match="no room"):
        columns_parts(golden.COLUMNS_INFO, [[0]] * 5, 128)
    with pytest.raises(ValueError, match="JSON compliant"):
        json_parts({"done": float("nan")})


def test_the_widest_plane_fits_into_a_frame():
    plane = golden.runs({2 * k: float(k) for k in range(32_768)}, 10)
    parts = tile_parts(golden.Tile(golden.Key(0, 0, 0, 0), golden.ONE, [plane, plane]))
    frames = golden.framed(parts, Type.TILE)
    assert len(parts) == 2 and all(len(f) <= MAX_FRAME for f in frames)
    assert [p.codec for p in read_any(frames).planes] == [Codec.RUNS, Codec.RUNS]


def test_json_has_no_padding_inside():
    (part,) = json_parts({"a": 1})
    assert part == Part(b'{"a":1} ', b"", 0) and json.loads(part.json) == {"a": 1}
