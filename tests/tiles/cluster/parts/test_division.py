"""How tables are divided, and divided anew: all rows are somebody's, and as few as can be change hands."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bigviz.tiles.cluster.parts.assignment import Assignment
from bigviz.tiles.cluster.parts.division import Part, divided, redivided


def table(*rows: int) -> Any:
    """A dataset whose pieces have so many rows each."""
    starts = np.cumsum([0, *rows]).tolist()
    chunks = list(zip(starts, rows, strict=False))
    return SimpleNamespace(fingerprint="t", name="t", num_rows=sum(rows), chunks=lambda: chunks)


def spans(holders: dict[Part, str]) -> list[tuple[int, int, str]]:
    return [(part.first, part.stop, worker) for part, worker in holders.items()]


def held(dataset: Any, *workers: str) -> dict[Part, str]:
    return dict(zip(divided(dataset, len(workers)), workers, strict=True))


def test_few_workers_divide_the_table_anew_and_keep_what_they_can() -> None:
    dataset = table(*[10] * 12)
    found = redivided(dataset, held(dataset, "a", "b"), ["a", "b", "c"], 1)
    assert found is not None
    assert spans(found) == [(0, 4, "a"), (4, 8, "c"), (8, 12, "b")]
    assert {part.rows for part in found} == {40} and all(part.move == 1 for part in found)


def test_among_many_workers_the_largest_parts_are_halved_and_the_others_stay() -> None:
    dataset = table(*[10] * 20, 30, 30)
    before = held(dataset, *"abcdef")
    found = redivided(dataset, before, [*"abcdefg"], 1)
    assert found is not None and len(found) == 7 and set(found.values()) == set("abcdefg")
    kept = [part for part in found if part in before]
    assert len(kept) == 5 and all(found[part] == before[part] for part in kept)


def test_who_holds_several_parts_gives_up_whole_ones() -> None:
    dataset = table(20, 21, 22)
    first, second, third = divided(dataset, 3)
    found = redivided(dataset, {first: "a", second: "a", third: "a"}, ["a", "b", "c"], 2)
    assert found is not None and [part.rows for part in found] == [20, 21, 22]
    assert sorted(found.values()) == ["a", "b", "c"]
    assert sum(part in (first, second, third) for part in found) == 1


@pytest.mark.parametrize(("workers", "pieces"), [("ab", 2), ("abc", 3)])
def test_nothing_moves_where_all_hold_some_or_nothing_can_be_divided(workers: str, pieces: int) -> None:
    dataset = table(*[5] * pieces)
    assert redivided(dataset, held(dataset, *workers), [*workers], 1) is None
    assert redivided(dataset, held(dataset, *workers), [*workers, "z"], 1) is None


def test_rows_of_lost_workers_come_first() -> None:
    dataset = table(*[5] * 8)
    assert redivided(dataset, held(dataset, "a", "gone"), ["a", "z"], 1) is None


def test_workers_that_come_and_go_hold_all_rows_once() -> None:
    rng = np.random.default_rng(4)
    for _ in range(60):
        dataset = table(*rng.integers(1, 50, rng.integers(1, 40)).tolist())
        held_by, there, names = Assignment(), ["0"], 1
        parts = held_by.parts_of(dataset, there)
        for _ in range(8):
            if rng.random() < 0.3 and len(there) > 1:
                there.pop(int(rng.integers(len(there))))
            else:
                names += 1
                there.append(str(names))
            for part in parts:
                holder = held_by.holder(part)
                if holder is None or holder[0] not in there:
                    held_by.next_holder(part, there)
            plan = held_by.plan(dataset, there)
            if plan is not None:
                assert held_by.parts_of(dataset, there) == parts  # until it is adopted
                parts = plan
                held_by.adopt(dataset, parts)
                assert not set(held_by.leave(dataset)) & set(parts)
            assert [part.first for part in parts] + [len(dataset.chunks())] == [0] + [part.stop for part in parts]
            assert sum(part.rows for part in parts) == dataset.num_rows
            holders = [held_by.holder(part) for part in parts]
            assert all(holder is not None and holder[0] in there for holder in holders)
            assert set(held_by._holder) == set(parts) == set(held_by._epochs)  # nothing of who is gone
        idle = len(there) - len({holder[0] for holder in holders if holder is not None})
        assert not idle or held_by.plan(dataset, there) is None or len(dataset.chunks()) > len(parts)


def test_of_a_table_that_is_forgotten_nothing_is_kept() -> None:
    held_by, dataset, there = Assignment(), table(*[10] * 12), ["a", "b"]
    empty = {name: repr(value) for name, value in vars(held_by).items() if isinstance(value, dict)}
    for _ in range(3):
        parts = held_by.parts_of(dataset, there)
        held_by.know_labels(dataset, "kind", b"labels")
        held_by.begun(parts[0])
        plan = held_by.plan(dataset, [*there, "c"])
        assert plan is not None
        held = held_by.forget(dataset)
        assert {held[part] for part in parts} == {"a", "b"} and set(held) == {*parts, *plan}
        held_by.adopt(dataset, plan)  # who moved its parts meanwhile
        held_by.know_labels(dataset, "kind", b"labels")
        held_by.begun(parts[0])
        assert held_by.next_holder(parts[0], there) is None and held_by.dataset_of(parts[0]) is None
        assert not held_by.leave(dataset) and not held_by.forget(dataset)
        assert {name: repr(value) for name, value in vars(held_by).items() if isinstance(value, dict)} == empty


def test_a_number_of_a_holding_is_never_given_again() -> None:
    held_by, dataset = Assignment(), table(*[10] * 4)
    seen = set()
    for _ in range(3):
        (part,) = held_by.parts_of(dataset, ["a"])
        for tell in (held_by.begun, lambda part: held_by.next_holder(part, ["b"]), lambda part: None):
            held = held_by.holder(part)
            assert held is not None and held not in seen
            seen.add(held)
            tell(part)
        held_by.forget(dataset)
