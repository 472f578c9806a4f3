import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.workers import Crew
from bigviz.tiles.morton import radix_sort
from bigviz.tiles.morton.radix_sort import sort_keys

SHAPES = ("random", "equal", "few", "corner", "low", "ascending", "descending", "pairs")


def make(shape: str, size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    anything = rng.integers(0, 2**64, size, dtype=np.uint64)
    if shape == "equal":
        return np.full(size, anything[0] if size else 0, np.uint64)
    if shape == "few":
        return anything[rng.integers(0, max(min(5, size), 1), size)] if size else anything
    if shape == "corner":
        keys = anything >> np.uint64(50)
        keys[:1] = 2**64 - 1
        return keys
    if shape == "low":
        return anything & np.uint64(3)
    if shape == "ascending":
        return np.sort(anything)
    if shape == "descending":
        return np.sort(anything)[::-1].copy()
    if shape == "pairs":
        return (anything >> np.uint64(40) << np.uint64(40)) | (anything & np.uint64(1))
    return anything


def check(keys: np.ndarray, pieces: list[tuple[int, int]], threads: int) -> None:
    rows = np.arange(len(keys), dtype=np.uint32)
    chosen = np.concatenate([np.arange(*piece) for piece in pieces]) if pieces else np.empty(0, np.int64)
    expected = chosen[np.argsort(keys[chosen], kind="stable")]
    original = keys.copy()
    sorted_keys, sorted_rows = sort_keys(keys, rows, pieces, Crew(threads))
    assert (sorted_rows == expected).all() and (sorted_keys == original[expected]).all()
    assert sorted_keys.dtype == np.uint64 and sorted_rows.dtype == np.uint32


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 3000), st.integers(0, 2**32), st.sampled_from([1, 2]))
def test_sorts_stably(shape: str, size: int, seed: int, threads: int) -> None:
    check(make(shape, size, seed), [(0, size)] if size else [], threads)


@pytest.mark.parametrize("shape", SHAPES)
def test_large_buckets_are_dealt_again(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radix_sort, "_LARGE", 200)
    check(make(shape, 50_000, 1), [(0, 20_000), (20_000, 50_000)], 2)


def test_rows_between_the_pieces_are_left_out() -> None:
    check(make("random", 10_000, 2), [(0, 100), (1_000, 1_001), (4_000, 9_000)], 2)


def test_progress_reaches_all_rows_and_a_raised_flag_stops() -> None:
    keys, rows = make("random", 5_000, 3), np.arange(5_000, dtype=np.uint32)
    seen: list[tuple[str, float, int]] = []
    sort_keys(keys.copy(), rows.copy(), [(0, 5_000)], Crew(2, lambda *report: seen.append(report)))
    assert seen[-1] == ("sorting rows", 1.0, 5_000) and {report[0] for report in seen} == {"sorting rows"}
    assert [report[1] for report in seen] == sorted(report[1] for report in seen)
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        sort_keys(keys, rows, [(0, 5_000)], Crew(2, cancel=cancel))
