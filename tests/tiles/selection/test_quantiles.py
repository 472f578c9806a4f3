"""Tallies and order statistics of slices against sorted numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bigviz.common.workers import Crew
from bigviz.tiles.selection import quantiles, ranks
from bigviz.tiles.selection.ranks import Slice, mean_of
from bigviz.tiles.selection.sort_keys import number_of

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(3)
NUMBERS: dict[str, Callable[[int], Array]] = {
    "normal": lambda n: RNG.normal(size=n),
    "single": lambda n: RNG.normal(size=n).astype(np.float32),
    "with nan and infinities": lambda n: RNG.choice(np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-300, 5.0]), n),
    "clumped": lambda n: np.where(RNG.random(n) < 0.9, 7.0, RNG.lognormal(0, 30, n)),
    "prices": lambda n: RNG.integers(0, 300, n),
    "stamps": lambda n: RNG.integers(1_600_000_000_000_000_000, 1_700_000_000_000_000_000, n),
    "wide": lambda n: RNG.integers(-(2**63), 2**63 - 1, n),
    "unsigned": lambda n: RNG.integers(0, 2**64 - 1, n, np.uint64),
    "one": lambda n: np.full(n, -3, np.int64),
}


def loads_of(values: Array, valid: Array | None, codes: Array | None) -> list[Callable[[], Slice]]:
    """The numbers as slices of ranges with gaps, which hold something else."""

    def load(start: int, stop: int) -> Slice:
        low = np.array([start, start + 7], np.int64)
        return Slice(values, valid, codes, low, np.array([start + 5, stop], np.int64))

    cuts = [*range(0, len(values), 997), len(values)]
    return [lambda a=a, b=b: load(a, b) for a, b in pairwise(cuts) if b - a > 7]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(("collected", "few"), [(1 << 21, 1), (0, 1), (0, 1 << 20)])
@pytest.mark.parametrize("groups", [0, 4, 20])
def test_ranks_sums_and_extremes(name: str, collected: int, few: int, groups: int, monkeypatch: pytest.MonkeyPatch):
    """Collected from bins, narrowed down by histograms to the end, or sorted at once."""
    monkeypatch.setattr(quantiles, "_MOST_COLLECTED", collected)
    monkeypatch.setattr(ranks, "_FEW", few)
    values = NUMBERS[name](6_000)
    valid = (RNG.random(len(values)) < 0.9).astype(np.uint8)
    codes = RNG.integers(-1, 3, len(values)).astype(np.int8) if groups else None
    loads = loads_of(values, valid, codes)
    places = np.concatenate([np.arange(a, b) for each in loads for a, b in zip(each().low, each().high, strict=True)])
    places = places[valid[places] == 1]
    found = quantiles.quantiles(quantiles.LoadedNumbers(loads, groups), wanted, values.dtype, Crew(2))
    assert len(found) == (groups + 2 if groups else 1)
    for number, each in enumerate(found):
        here = (
            places
            if number == 0 or codes is None
            else places[codes[places] == (number - 1 if number <= groups else -1)]
        )
        numbers = np.sort(values[here])
        numbers = numbers[~np.isnan(numbers)] if numbers.dtype.kind == "f" else numbers
        assert each.tally.count == len(numbers)
        if not len(numbers):
            continue
        assert number_of(each.tally.least, values.dtype) == numbers[0]
        assert number_of(each.tally.most, values.dtype) == numbers[-1]
        if values.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                np.testing.assert_allclose(
                    mean_of(each.tally, values.dtype), numbers.mean(dtype=np.float64), 1e-9, 1e-12
                )
        else:
            assert each.tally.total == sum(numbers.tolist())
        assert each.at == {rank: numbers[rank].item() for rank in wanted(len(numbers))}


def wanted(count: int) -> list[int]:
    return [0, count // 4, count // 3, count // 2, count - 1]


def test_no_numbers():
    (found,) = quantiles.quantiles(quantiles.LoadedNumbers([], 0), wanted, np.dtype(np.float64), Crew(1))
    assert found.tally.count == 0 and found.at == {}
