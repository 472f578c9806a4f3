"""Sums against the reference implementation's Python package."""

import numpy as np
import pytest
import xxhash

from bigviz.tiles.store.checksum import BLOCK, block_count, block_sum, checksum, sum_blocks, words_of


@pytest.mark.parametrize("size", [*range(70), BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 13])
def test_sums_are_xxh64(size: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    assert checksum(data) == checksum(data.tobytes()) == xxhash.xxh64_intdigest(data.tobytes())
    blocks = [data[start : start + BLOCK].tobytes() for start in range(0, size, BLOCK)]
    expected = [xxhash.xxh64_intdigest(block) for block in blocks]
    assert sum_blocks(data).tolist() == expected and block_count(size) == len(expected)
    assert [int(block_sum(*words_of(data), k)) for k in range(len(expected))] == expected


def test_any_dtype_is_its_bytes() -> None:
    for array in (np.arange(11, dtype=np.uint32), np.linspace(0, 1, 10_001), np.ones(3, np.int8)):
        assert checksum(array) == xxhash.xxh64_intdigest(array.tobytes())


def test_one_flipped_bit_changes_a_sum() -> None:
    data = np.zeros(2 * BLOCK + 5, np.uint8)
    before = sum_blocks(data)
    data[BLOCK + 77] ^= 4
    assert (sum_blocks(data) != before).tolist() == [False, True, False]
