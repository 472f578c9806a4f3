"""Parts are merged so that few are left, and no row is copied often."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.tiles.segments.tiers import MOST_PARTS, next_merge


@pytest.mark.parametrize("first", [0, 10_000, 30_000_000])
@pytest.mark.parametrize("size", [1, 10_000])
def test_few_parts_are_left_and_rows_are_copied_a_few_times(first: int, size: int) -> None:
    rng = np.random.default_rng(first + size)
    parts, copied, rows = [first] * (first > 0), 0, 0
    for _ in range(3_000):
        new = int(rng.integers(1, 2 * size + 1))
        parts.append(new)
        rows += new
        while (found := next_merge(parts)) is not None:
            start, stop = found
            assert stop - start > 1
            merged = sum(parts[start:stop])
            assert merged <= max(sum(parts) // 2, 1 << 20) or len(parts) > MOST_PARTS
            parts[start:stop] = [merged]
            copied += merged
        assert len(parts) <= MOST_PARTS and sum(parts) == first + rows
    assert copied <= 16 * rows


def test_nothing_is_merged_where_there_is_one_part_or_none() -> None:
    assert next_merge([]) is None and next_merge([5]) is None
