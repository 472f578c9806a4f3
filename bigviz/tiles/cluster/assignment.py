"""The parts that tables are divided into, and which worker of a cluster holds which."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass

from bigviz.common.errors import Unreadable
from bigviz.data.dataset import Dataset

__all__ = ["Assignment", "Part"]


@dataclass(frozen=True)
class Part:
    """The pieces `first` to `stop` (exclusive) of `Dataset.chunks()`: so many `rows`."""

    dataset: str
    first: int
    stop: int
    rows: int


class Assignment:
    """What is divided, who is to hold each part, and what its holder may have to be told. Safe to use from any number
    of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._datasets: dict[str, Dataset] = {}
        self._parts: dict[str, tuple[Part, ...]] = {}
        self._holder: dict[Part, str] = {}
        self._epochs: dict[Part, int] = {}  # raised whenever a worker begins to hold it
        self._labels: dict[tuple[str, str], bytes] = {}

    def parts_of(self, dataset: Dataset, there: Collection[str]) -> tuple[Part, ...]:
        """The parts that a dataset is divided into, in the order of their rows: one for each worker that is there when
        it is first asked for, as equal as its pieces allow."""
        with self._lock:
            found = self._parts.get(dataset.fingerprint)
            if found is None:
                workers = list(there)
                found = _divided(dataset, max(len(workers), 1))
                self._parts[dataset.fingerprint], self._datasets[dataset.fingerprint] = found, dataset
                self._holder.update(zip(found, workers, strict=False))
            return found

    def dataset_of(self, part: Part) -> Dataset:
        """What a part is of."""
        with self._lock:
            return self._datasets[part.dataset]

    def holder(self, part: Part) -> tuple[str, int] | None:
        """Who is to hold a part, and a number that changes when another one is, or the same one begins anew; None where
        nobody was named."""
        with self._lock:
            worker = self._holder.get(part)
            return None if worker is None else (worker, self._epochs.get(part, 0))

    def begun(self, part: Part) -> None:
        """The holder of a part begins to hold it, with nothing of what was there."""
        with self._lock:
            self._epochs[part] = self._epochs.get(part, 0) + 1

    def next_holder(self, part: Part, there: Collection[str]) -> tuple[str, int] | None:
        """Who is to hold a part from now on: who has the fewest rows of those that are there; None where nobody is."""
        with self._lock:
            rows = dict.fromkeys(there, 0)
            if not rows:
                return None
            for each, who in self._holder.items():
                if who in rows:
                    rows[who] += each.rows
            found = self._holder[part] = min(rows, key=lambda each: rows[each])
            self._epochs[part] = self._epochs.get(part, 0) + 1
            return found, self._epochs[part]

    def know_labels(self, dataset: Dataset, column: str, labels: bytes) -> None:
        """Keep the labels of a category, for the workers that lack them."""
        with self._lock:
            self._labels[dataset.fingerprint, column] = labels

    def labels(self, fingerprint: str, column: str) -> bytes | None:
        """The labels of a category of a dataset, if they are kept."""
        with self._lock:
            return self._labels.get((fingerprint, column))


def _divided(dataset: Dataset, workers: int) -> tuple[Part, ...]:
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
            parts.append(Part(dataset.fingerprint, first, stop, held))
        first = stop
    if not parts:
        raise Unreadable(f"{dataset.name!r} has no rows that a cluster could hold.", "dataset")
    return tuple(parts)
