"""Searches by fences, and blocks verified before their first use."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.common.errors import Unreadable
from bigviz.common.xxh64 import sum_blocks
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.quadtree import count_cells, ranges_within
from bigviz.tiles.morton.sorted_keys import PITCH, SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray

SIZE = 5 * PITCH + 321


def sorted_keys(kind: str) -> np.ndarray:
    rng = np.random.default_rng(7)
    if kind == "spread":
        keys = rng.integers(0, 2**64 - 1, SIZE, np.uint64, endpoint=True)
    elif kind == "piles":  # a pile over many blocks, between others
        keys = np.repeat(np.array([3, 2**33, 2**33 + 1, 2**62], np.uint64), [5, 3 * PITCH, PITCH, SIZE - 4 * PITCH - 5])
    else:
        keys = np.full(SIZE, 2**40, np.uint64)
    return np.sort(keys)


KEYS = {kind: sorted_keys(kind) for kind in ("spread", "piles", "one")}
KINDS = st.sampled_from(sorted(KEYS))


@settings(max_examples=200, deadline=None)
@given(st.data(), KINDS, st.integers(0, SIZE), st.integers(0, SIZE))
def test_a_search_finds_what_numpy_finds(data: st.DataObject, kind: str, low: int, high: int) -> None:
    keys = KEYS[kind]
    low, high = min(low, high), max(low, high)
    near = st.integers(0, SIZE - 1).map(lambda k: int(keys[k])) | st.integers(0, 2**64 - 1)
    key = min(data.draw(near) + data.draw(st.integers(0, 1)), 2**64 - 1)
    assert SortedKeys(keys).lower_bound(low, high, key) == low + int(np.searchsorted(keys[low:high], np.uint64(key)))
    end = min(key + data.draw(st.integers(1, 1 << 63)), 1 << 64)
    stop = SIZE if end >> 64 else int(np.searchsorted(keys, np.uint64(end)))
    guard, expected = SortedKeys(keys), (int(np.searchsorted(keys, np.uint64(key))), stop)
    for _ in range(2):  # also where it was asked last
        assert guard.span(key, end) == guard.span(key, end) == expected
        assert guard.span(0, end) == (0, stop)


@settings(max_examples=200, deadline=None)
@given(KINDS, st.integers(0, SIZE - 1), st.integers(1, SIZE), st.integers(0, 64))
def test_a_run_ends_where_the_head_changes(kind: str, at: int, high: int, shift: int) -> None:
    keys = KEYS[kind]
    at, high = min(at, high - 1), max(at + 1, high)
    heads = [int(key) >> shift for key in keys[at:high].tolist()]
    end = next((at + k for k, head in enumerate(heads) if head != heads[0]), high)
    assert SortedKeys(keys).run_end(at, high, shift) == end


def test_only_what_is_used_is_verified() -> None:
    keys = KEYS["spread"]
    checked = VerifiedArray(keys, sum_blocks(keys))
    guard = SortedKeys(checked, keys[::PITCH])
    guard.lower_bound(0, SIZE, int(keys[3 * PITCH + 5]))
    assert checked.state.tolist() == [0, 0, 0, 1, 0, 0]
    assert (checked.take(slice(PITCH - 1, PITCH + 1)) == keys[PITCH - 1 : PITCH + 1]).all()
    assert checked.state.tolist() == [1, 1, 0, 1, 0, 0]
    assert (checked.take(np.array([SIZE - 1, 7])) == keys[[SIZE - 1, 7]]).all()
    assert checked.state.tolist() == [1, 1, 0, 1, 0, 1]
    assert SortedKeys(keys).keys.state.all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_a_pile_is_leapt_over_without_reading_it(dtype: type) -> None:
    keys = KEYS["one"]
    checked = VerifiedArray(keys, sum_blocks(keys))
    assert SortedKeys(checked, keys[::PITCH]).run_end(10, SIZE, 0) == SIZE
    assert checked.state.tolist() == [1, 0, 0, 0, 0, 1]
    other = VerifiedArray(np.arange(300_000).astype(dtype), sum_blocks(np.arange(300_000).astype(dtype)))
    other.open(np.array([0, 5]), np.array([0, 6]))
    assert other.state.sum() == 1


def test_every_flipped_bit_is_found_before_it_counts() -> None:
    keys = KEYS["spread"]
    sums, tile = sum_blocks(keys), TileKey(0, 0, 0, 0)
    rng = np.random.default_rng(3)
    for at in rng.integers(0, SIZE, 8).tolist():
        flipped = keys.copy()
        flipped[at] ^= np.uint64(1 << int(rng.integers(64)))
        guard = SortedKeys(VerifiedArray(flipped, sums), keys[::PITCH])
        with pytest.raises(Unreadable, match="damaged"):
            count_cells(guard, ranges_within(guard, tile.codes), tile, np.zeros((256, 256), np.uint32))
        with pytest.raises(Unreadable):
            guard.keys.take(slice(at, at + 1))
    values = rng.normal(size=100_000)
    sums = sum_blocks(values)
    values[77_777] = 0.5
    checked = VerifiedArray(values, sums)
    assert len(checked.take(slice(0, 8192))) == 8192
    with pytest.raises(Unreadable):
        checked.take(np.array([77_770]))
    with pytest.raises(Unreadable):  # and from then on
        checked.check()


def test_sums_and_fences_must_fit() -> None:
    keys = KEYS["spread"]
    with pytest.raises(Unreadable):
        VerifiedArray(keys, sum_blocks(keys)[1:])
    with pytest.raises(Unreadable):
        SortedKeys(keys, keys[: 2 * PITCH : PITCH])
