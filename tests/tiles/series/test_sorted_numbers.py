"""Positions of ascending numbers against numpy's searchsorted, of rules and of arrays."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.tiles.series import sorted_numbers as module
from bigviz.tiles.series.sorted_numbers import Ascending, Regular, Searches, ascending, regular_rule, ruled

BIG = 2**63


def of_rule(values: np.ndarray) -> Ascending:
    rule = regular_rule(values[:60_000], len(values), values[-1].item())
    assert rule is not None and rule.gives(values, 0)
    return ruled(rule, len(values))


RULES: list[Any] = [
    np.arange(1000, dtype=np.int64) * 7 - 3000,
    np.arange(5000, dtype=np.int64) * 10**9 + 1_700_000_000_000_000_000,
    np.zeros(70, np.int64),
    np.arange(500, dtype=np.uint64) + np.uint64(BIG),
    np.arange(2000) / 1000.0 + 17.25,
    np.arange(2000) * 0.1,
    np.linspace(-3.7, 19.3, 3001),
    np.arange(70_000, dtype=np.float32) * 1000,  # beyond 2^24 neighbours are equal
    (np.arange(3000) * 0.01).astype(np.float32),
    np.array([-BIG, -1, BIG - 2], np.int64),
    np.full(9, 2.5),
]


@pytest.mark.parametrize("values", RULES, ids=lambda values: f"{values.dtype}-{values[0]}")
def test_a_rule_is_found_and_gives_every_number(values: np.ndarray) -> None:
    x = of_rule(values)
    assert x.nbytes == 0 and x.dtype == values.dtype
    assert (x.at(np.arange(len(values))) == values).all() and x.at(np.arange(1)).dtype == values.dtype
    assert (x.slice(1, min(60, len(x))) == values[1:60]).all()
    assert x.rule is not None and x.rule.gives(values[2:], 2)
    other = values.copy()
    other[-1] = np.nextafter(other[-1], np.inf) if values.dtype.kind == "f" else other[-1] - 1
    assert not x.rule.gives(other[2:], 2)


@pytest.mark.parametrize(
    "values", [np.array([1, 2, 4]), np.array([3, 2, 1]), np.array([0.0, 1.0, 1.5]), np.array([5.0]), np.array([])]
)
def test_no_rule(values: np.ndarray) -> None:
    assert regular_rule(values, len(values), values[-1].item() if len(values) else None) is None


def test_a_rule_that_leaves_its_type_is_none() -> None:
    assert regular_rule(np.array([0, 2**62]), 3, None) is None and regular_rule(np.array([0, 2**61]), 3, None)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(0, 2**32), st.sampled_from(["f4", "f8", "i8", "u8"]), st.sampled_from([0, 1, 511, 5000]))
def test_positions_are_those_of_searchsorted(data: st.DataObject, seed: int, kind: str, size: int) -> None:
    rng = np.random.default_rng(seed)
    if size and data.draw(st.booleans()):
        values = RULES[data.draw(st.integers(0, len(RULES) - 1))]
        x = of_rule(values)
    else:
        values = np.sort(
            np.round(rng.normal(size=size) * rng.choice([3, 1e5, 1e12])).astype("f8" if kind != "u8" else "i8")
        )
        values = values.astype(kind) if kind != "u8" else np.sort(values.view(np.uint64))
        x = ascending(values)
    if values.dtype.kind == "f":
        edges = (
            np.concatenate([rng.choice(values, 40), rng.normal(size=20) * 1e5, [-np.inf, np.inf]])
            if len(values)
            else np.zeros(3)
        )
        edges = np.sort(edges.astype(np.float64))
        numbers = values.astype(np.float64)
    else:
        limits = np.iinfo(values.dtype)
        near = rng.choice(values, 40) + rng.integers(0, 2, 40).astype(values.dtype) if len(values) else values
        edges = np.sort(np.append(near, np.array([limits.min, limits.max], values.dtype)))
        numbers = values
    assert (x.first(edges) == np.searchsorted(numbers, edges)).all()
    scale, shift = float(rng.uniform(0.001, 1000)), float(rng.normal() * 1e4)
    placed = values.astype(np.float64) * scale + shift
    places = np.sort(
        np.append(placed[rng.integers(0, len(values), 30)] if len(values) else [0.5], rng.normal(size=9) * 1e6)
    )
    assert (x.first_place(scale, shift, places) == np.searchsorted(placed, places)).all()


def test_only_what_is_read_is_checked() -> None:
    seen: list[tuple[int, int]] = []
    values = np.cumsum(np.random.default_rng(1).integers(1, 9, 10_000))
    x = ascending(values, lambda lows, highs: seen.extend(zip(lows.tolist(), highs.tolist(), strict=True)))
    assert x.first(values[[5000]])[0] == 5000
    ((low, high),) = seen
    assert high - low == module.PITCH and low < 5000 <= high
    seen.clear()
    x.at(np.array([7, 3]))
    x.slice(4, 9)
    assert seen == [(7, 8), (3, 4), (4, 9)]


def test_the_latest_searches_are_kept() -> None:
    held = Searches()
    calls: list[int] = []

    def find(k: int) -> np.ndarray:
        calls.append(k)
        return np.array([k])

    for k in (1, 1, *range(40), 1):
        assert held.get(k, lambda k=k: find(k))[0] == k
    assert calls == [1, 0, *range(2, 40), 1]
    assert not held.get(1, lambda: find(1)).flags.writeable


def test_the_same_numbers_share_their_searches() -> None:
    rule = Regular(0, 1, 1.0, np.dtype(np.int64))
    assert ruled(rule, 3).searches is not ruled(rule, 4).searches
    first, second = ruled(rule, 3), ruled(Regular(0, 1, 1.0, np.dtype(np.int64)), 3)
    assert first.searches is second.searches
    values = np.array([1, 2, 5])
    one, other, third = (ascending(values, key=key) for key in ("a", "a", None))
    assert one.searches is other.searches is not third.searches
