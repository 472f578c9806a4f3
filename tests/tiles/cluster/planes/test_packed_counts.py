"""Packed planes of counts against a reader that goes through them byte by byte, and against numpy's sums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.common.errors import Unreadable
from bigviz.tiles.cluster.planes.packed_counts import add_packed, pack_counts

Counts = npt.NDArray[np.uint32]
WIDTHS = (0, 1, 2, 4, 8, 16, 32)


def added(*planes: bytes) -> Counts:
    out = np.full((256, 256), 7, np.uint32)  # what was there does not count
    add_packed(planes, out)
    return out


def read_slowly(plane: bytes) -> Counts:
    """The cells of a packed plane, one at a time."""
    cells = np.zeros((256, 256), np.int64)
    at = 32
    for block in range(256 if plane else 0):
        if not plane[block // 8] >> block % 8 & 1:
            continue
        bits, size, patches = WIDTHS[plane[at] & 7], plane[at] >> 3, plane[at + 1]
        packed, at = plane[at + 2 : at + 2 + 32 * bits], at + 2 + 32 * bits
        for k in range(256 if bits else 0):
            if bits < 8:
                cells[block, k] = packed[k % len(packed)] >> bits * (k // len(packed)) & (1 << bits) - 1
            else:
                cells[block, k] = int.from_bytes(packed[k::256], "little")
        for patch in range(patches):
            more = plane[at + patches + patch : at + patches * (1 + size) : patches]
            cells[block, plane[at + patch]] += int.from_bytes(more, "little") << bits
        at += patches * (1 + size)
    assert at == len(plane) or not plane
    return (cells & 0xFFFFFFFF).astype(np.uint32)


@st.composite
def planes(draw: st.DrawFn) -> Counts:
    """Rows of numbers of up to so many bits, a share of them filled, with larger ones here and there."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    cells = np.zeros((256, 256), np.uint32)
    kinds = st.tuples(
        st.integers(0, 32), st.sampled_from((0.01, 0.3, 0.9, 1.0)), st.integers(0, 256), st.integers(1, 32)
    )
    for bits, share, peaks, high in draw(st.lists(kinds, max_size=12)):
        row = rng.integers(0, 1 << bits, 256) * (rng.random(256) < share)
        row[rng.choice(256, peaks, False)] = rng.integers(1 << high - 1, 1 << high)
        cells[rng.integers(0, 256, 1 + draw(st.integers(0, 3)))] = row
    return cells


@settings(max_examples=60, deadline=None)
@given(st.lists(planes(), min_size=1, max_size=3))
def test_planes_are_read_as_they_were_and_add_up_as_numpy_adds_them(those: list[Counts]) -> None:
    packed = [pack_counts(plane) for plane in those]
    for plane, body in zip(those, packed, strict=True):
        np.testing.assert_array_equal(read_slowly(body), plane)
        np.testing.assert_array_equal(added(body), plane)
    np.testing.assert_array_equal(added(*packed), sum(those[1:], those[0]))


@pytest.mark.parametrize("bits", range(33))
def test_every_number_of_bits_is_held_alone_and_beside_small_numbers(bits: int) -> None:
    most = (1 << bits) - 1
    full, one, most_patches = (np.zeros((256, 256), np.uint32) for _ in range(3))
    full[:], one[9, 255], most_patches[3, :255] = most, most, most
    small = one + np.uint32(1) * (one == 0)
    for plane in (full, one, most_patches, small):
        body = pack_counts(plane)
        np.testing.assert_array_equal(read_slowly(body), plane)
        np.testing.assert_array_equal(added(body, b"", body), 2 * plane)


def test_planes_take_no_more_than_their_numbers_need() -> None:
    empty = np.zeros((256, 256), np.uint32)
    one, ones, peak = empty.copy(), empty + np.uint32(1), empty + np.uint32(3)
    one[0, 0], peak[::2, 9] = 200, 1_000_000
    assert pack_counts(empty) == b"" and not added(b"", b"").any()
    assert len(pack_counts(one)) == 32 + 2 + 2
    assert len(pack_counts(ones)) == 32 + 256 * (2 + 32)
    assert len(pack_counts(peak)) == 32 + 256 * (2 + 64) + 128 * 5


def body_of(*block: int) -> bytes:
    """A plane of one block."""
    return bytes([1, *[0] * 31, *block])


@pytest.mark.parametrize(
    "body",
    [
        b"\1",
        bytes(31),
        body_of(),
        body_of(0),
        body_of(0, 0),
        body_of(7, 0, *[0] * 999),
        body_of(1, 0, *[1] * 31),
        body_of(1, 0, *[1] * 33),
        body_of(8, 0),
        body_of(0, 1, 0, 1),
        body_of(3 * 8, 1, 0, 1, 0, 0),
        body_of(8 * 8, 1, 0, 1, 0, 0),
        body_of(8, 1, 0),
        body_of(8, 1, 0, 0),
        body_of(8, 2, 0, 1, 1, 0),
        body_of(6, 1, *[0] * 1026),
        body_of(6 + 8, 1, *[1] * 1026),
        body_of(1 + 4 * 8, 1, *[0] * 32, 0, 0, 0, 0, 128),
        body_of(5 + 4 * 8, 1, *[0] * 512, 0, 0, 0, 1, 0),
        bytes([1, 1, *[0] * 30, 8, 1, 0, 1]),
        bytes(32),
        bytes(40),
    ],
)
def test_bytes_that_nobody_packed_are_an_error(body: bytes) -> None:
    sound = pack_counts(np.arange(65536, dtype=np.uint32).reshape(256, 256))
    for those in ((body,), (sound, body), (body, sound), (b"", body)):
        with pytest.raises(Unreadable, match="damaged at byte"):
            added(*those)
    added(body_of(8, 1, 0, 1), sound)


@settings(max_examples=150, deadline=None)
@given(planes(), st.data())
def test_bytes_that_were_cut_or_changed_are_an_error_or_a_plane(plane: Counts, data: st.DataObject) -> None:
    body = bytearray(pack_counts(plane))
    cut = data.draw(st.integers(0, len(body) + 9))
    if 0 < cut < len(body):
        with pytest.raises(Unreadable):
            added(bytes(body[:cut]), bytes(body))
    for _ in range(data.draw(st.integers(1, 4)) if body else 0):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = added(bytes(body))
    except Unreadable:
        return
    np.testing.assert_array_equal(found, read_slowly(bytes(body)))
