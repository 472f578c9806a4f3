"""How a table is divided into parts, and divided anew when workers join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from bigviz.common.errors import Unreadable
from bigviz.data.dataset import Dataset

__all__ = ["Part", "divided", "redivided"]


@dataclass(frozen=True)
class Part:
    """The pieces `first` to `stop` (exclusive) of `Dataset.chunks()`: so many `rows`. `move` tells it from the same
    pieces at another worker: how often parts of the table had moved when it came to its own."""

    dataset: str
    first: int
    stop: int
    rows: int
    move: int = 0


def divided(dataset: Dataset, workers: int, move: int = 0) -> tuple[Part, ...]:
    """Parts of neighbouring pieces, as equal as these allow. Raises Unreadable for a dataset without rows."""
    chunks = dataset.chunks()
    rows, parts, first = dataset.num_rows, list[Part](), 0
    for number in range(workers):
        end = rows * (number + 1) // workers
        stop = first
        while stop < len(chunks) and (number == workers - 1 or sum(chunks[stop]) - chunks[stop][1] // 2 <= end):
            stop += 1
        if stop > first:
            held = sum(count for _, count in chunks[first:stop])
            parts.append(Part(dataset.fingerprint, first, stop, held, move))
        first = stop
    if not parts:
        raise Unreadable(f"{dataset.name!r} has no rows that a cluster could hold.", "dataset")
    return tuple(parts)


def redivided(dataset: Dataset, holders: Mapping[Part, str], there: Sequence[str], move: int) -> dict[Part, str] | None:
    """Who is to hold which part, in the order of rows, now that some of those that are there hold none: `holders` says
    who holds the parts of now. None where nothing is to move.

    A worker that holds several parts gives up whole ones. If all hold one, the table is divided anew into equal parts
    where a quarter more workers are there than parts, since all of them then index other rows; otherwise the largest
    parts are halved.
    """
    idle = [worker for worker in there if worker not in holders.values()]
    if not idle or not set(holders.values()) <= set(there):  # rows of lost workers are to be taken first
        return None
    moved = _given_up(holders, idle, move)
    if moved is None and 4 * len(there) >= 5 * len(holders):
        moved = _equal(dataset, holders, there, move)
    elif moved is None:
        moved = _halved(dataset, holders, idle, move)
    return moved


def _given_up(holders: Mapping[Part, str], idle: Sequence[str], move: int) -> dict[Part, str] | None:
    """Whole parts of those that hold several at those that hold none; None where nobody does."""
    found, waiting = dict(holders), list(idle)
    while waiting:
        rows, several = dict.fromkeys(found.values(), 0), set[str]()
        for part, worker in found.items():
            if rows[worker]:
                several.add(worker)
            rows[worker] += part.rows
        if not several:
            break
        giver = max(several, key=lambda each: rows[each])
        given = min((part for part, worker in found.items() if worker == giver), key=lambda part: part.rows)
        del found[given]
        found[replace(given, move=move)] = waiting.pop(0)
    return None if len(waiting) == len(idle) else _in_order(found)


def _equal(dataset: Dataset, holders: Mapping[Part, str], there: Sequence[str], move: int) -> dict[Part, str] | None:
    """Equal parts, one a worker, each where most of its rows are; None where there would be no more of them."""
    parts = divided(dataset, len(there), move)
    if len(parts) <= len(holders):
        return None
    starts = [0, *accumulate(count for _, count in dataset.chunks())]
    shared = sorted(
        (
            (starts[min(new.stop, old.stop)] - starts[max(new.first, old.first)], -new.first, worker, new, old)
            for new in parts
            for old, worker in holders.items()
            if max(new.first, old.first) < min(new.stop, old.stop)
        ),
        key=lambda each: each[:3],
        reverse=True,
    )
    found: dict[Part, str] = {}
    placed: set[Part] = set()
    for _, _, worker, new, old in shared:
        if new not in placed and worker not in found.values():
            same = (new.first, new.stop) == (old.first, old.stop)
            found[old if same else new] = worker
            placed.add(new)
    left = iter(worker for worker in there if worker not in found.values())
    found.update((new, next(left)) for new in parts if new not in placed)
    return _in_order(found)


def _halved(dataset: Dataset, holders: Mapping[Part, str], idle: Sequence[str], move: int) -> dict[Part, str] | None:
    """The second halves of the largest parts at those that hold none; None where no part has two pieces."""
    chunks, found = dataset.chunks(), dict(holders)
    largest = sorted((part for part in holders if part.stop - part.first > 1), key=lambda part: -part.rows)
    for part, worker in zip(largest, idle, strict=False):
        begun = chunks[part.first][0]
        cut = min(range(part.first + 1, part.stop), key=lambda at: abs(2 * (chunks[at][0] - begun) - part.rows))
        rows = chunks[cut][0] - begun
        keeper = found.pop(part)
        found[Part(part.dataset, part.first, cut, rows, move)] = keeper
        found[Part(part.dataset, cut, part.stop, part.rows - rows, move)] = worker
    return _in_order(found) if largest else None


def _in_order(holders: Mapping[Part, str]) -> dict[Part, str]:
    return dict(sorted(holders.items(), key=lambda each: each[0].first))
