"""Order statistics from slices against sorted numbers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bigviz.common.workers import Crew
from bigviz.tiles.selection import ranks
from bigviz.tiles.selection.ranks import Slice, mean_of, number_of, ranked, tallied

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
@pytest.mark.parametrize("few", [1, 1 << 20])
def test_ranks_sums_and_extremes(name: str, few: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ranks, "_FEW", few)  # histograms to the end, or sorted at once
    values = NUMBERS[name](6_000)
    valid = (RNG.random(len(values)) < 0.9).astype(np.uint8)
    codes = RNG.integers(-1, 3, len(values)).astype(np.int8)
    loads = loads_of(values, valid, codes)
    places = np.concatenate([np.arange(a, b) for each in loads for a, b in zip(each().low, each().high, strict=True)])
    crew = Crew(2)
    tallies = tallied(loads, 4, crew)
    for group, tally in enumerate(tallies):
        here = places[(codes[places] == (group if group < 4 else -1)) & (valid[places] == 1)]
        numbers = np.sort(values[here])
        numbers = numbers[~np.isnan(numbers)] if numbers.dtype.kind == "f" else numbers
        assert tally.count == len(numbers)
        if not len(numbers):
            continue
        assert number_of(tally.least, values.dtype) == numbers[0]
        assert number_of(tally.most, values.dtype) == numbers[-1]
        if values.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                np.testing.assert_allclose(mean_of(tally, values.dtype), numbers.mean(dtype=np.float64), 1e-9, 1e-12)
        else:
            assert tally.total == sum(numbers.tolist())
    wanted = [[0, t.count // 4, t.count // 3, t.count // 2, t.count - 1] if t.count else [] for t in tallies]
    for group, found in enumerate(ranked(loads, tallies, wanted, values.dtype, crew)):
        here = places[(codes[places] == (group if group < 4 else -1)) & (valid[places] == 1)]
        numbers = np.sort(values[here])
        assert found == {rank: numbers[rank].item() for rank in wanted[group]}
