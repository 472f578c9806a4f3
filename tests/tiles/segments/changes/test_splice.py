"""Items taken out of arrays and put in, against numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.tiles.segments.changes.splice import Splice, places_among, positions_of_rows


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(0, 30), kinds=st.sampled_from([1, 4, 1 << 40]))
def test_rows_give_way_to_others_in_order(seed: int, size: int, kinds: int) -> None:
    """Rows by ascending key, ties by number: some are taken out, and others put in, some with the same number."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(200_000)[:size].astype(np.uint32)
    keys = rng.integers(0, kinds, size, dtype=np.uint64)
    order = np.lexsort((rows, keys))
    keys, rows = keys[order], rows[order]
    wrong = np.sort(rng.permutation(rows)[: rng.integers(0, size + 1)])
    new_rows = np.append(wrong, rng.integers(200_000, 300_000, 3).astype(np.uint32))
    new_keys = rng.integers(0, kinds, len(new_rows), dtype=np.uint64)
    order = np.lexsort((new_rows, new_keys))
    new_keys, new_rows = new_keys[order], new_rows[order]
    removed = positions_of_rows(rows, wrong)
    assert removed.tolist() == [at for at, row in enumerate(rows.tolist()) if row in set(wrong.tolist())]
    splice = Splice(removed, places_among(keys, rows, new_keys, new_rows))
    found = splice.of(keys, new_keys), splice.of(rows, new_rows)
    every = np.append(np.delete(keys, removed), new_keys), np.append(np.delete(rows, removed), new_rows)
    order = np.lexsort((every[1], every[0]))
    assert [each.tolist() for each in found] == [each[order].tolist() for each in every]
    assert splice.of(rows.astype(np.int8), new_rows.astype(np.int64)).dtype == np.int64


def test_what_does_not_change_is_not_copied() -> None:
    rng = np.random.default_rng(1)
    keys, rows = np.sort(rng.integers(0, 50, 100, np.uint64)), np.arange(100, dtype=np.uint32)
    removed = np.array([3, 40, 99])
    splice = Splice(removed, places_among(keys, rows, keys[removed], rows[removed]))
    assert splice.is_in_place and splice.of(keys, keys[removed]) is keys
    values = rng.normal(size=100)
    values[40] = np.nan
    assert splice.of(values, values[removed]) is values
    expected = values.copy()
    expected[removed] = 1, 2, 3
    found = splice.of(values, np.array([1.0, 2, 3]))
    assert found is not values and found.tobytes() == expected.tobytes()
    nothing = Splice(np.empty(0, np.int64), np.empty(0, np.int64))
    assert nothing.of(values, values[:0]) is values
