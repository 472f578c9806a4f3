"""Sums against the reference implementation's Python package."""

import numpy as np
import pytest
import xxhash

from bigviz.common.xxh64 import BLOCK, block_count, block_sum, checksum, open_blocks, sum_blocks, words_of
from bigviz.tiles.store.files.paged_file import PAGE


@pytest.mark.parametrize("size", [*range(70), PAGE + 4, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 13])
def test_sums_are_xxh64(size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    assert checksum(data) == checksum(data.tobytes()) == xxhash.xxh64_intdigest(data.tobytes())
    for block in (BLOCK, PAGE):
        pieces = [data[start : start + block].tobytes() for start in range(0, size, block)]
        expected = [xxhash.xxh64_intdigest(piece) for piece in pieces]
        assert sum_blocks(data, block).tolist() == expected and block_count(size, block) == len(expected)
        assert [int(block_sum(*words_of(data), k, block)) for k in range(len(expected))] == expected
    assert sum_blocks(data).tolist() == sum_blocks(data, BLOCK).tolist()


@pytest.mark.parametrize("block", [PAGE, BLOCK])
def test_blocks_are_opened_before_their_first_use(block: int) -> None:
    values = np.random.default_rng(1).normal(size=3 * BLOCK // 4 + 1).astype(np.float32)
    sums, per = sum_blocks(values, block), block // 4
    sums[[2, -1]] ^= np.uint64(1)
    words, tail = words_of(values)
    seen = np.zeros(len(sums), np.uint8)

    def opened(*ranges: tuple[int, int]) -> int:
        lows, highs = np.array(ranges).T
        return int(open_blocks(words, tail, sums, seen, lows, highs, 4, block))

    assert opened((5, 5), (per - 1, per + 1)) == -1 and np.flatnonzero(seen).tolist() == [0, 1]
    assert opened((2 * per, 2 * per), (0, per)) == -1
    assert opened((per, 2 * per + 1)) == 2 and opened((2 * per, 2 * per + 1)) == 2
    assert opened((len(values) - 1, len(values))) == len(sums) - 1
    assert np.flatnonzero(seen).tolist() == [0, 1]
    sums[2] ^= np.uint64(1)
    assert opened((2 * per, 2 * per + 1)) == -1 and seen[2] == 1


def test_any_dtype_is_its_bytes() -> None:
    for array in (np.arange(11, dtype=np.uint32), np.linspace(0, 1, 10_001), np.ones(3, np.int8)):
        assert checksum(array) == xxhash.xxh64_intdigest(array.tobytes())


def test_one_flipped_bit_changes_a_sum() -> None:
    data = np.zeros(2 * BLOCK + 5, np.uint8)
    before = sum_blocks(data)
    data[BLOCK + 77] ^= 4
    assert (sum_blocks(data) != before).tolist() == [False, True, False]
