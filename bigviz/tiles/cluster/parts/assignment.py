"""Which worker of a cluster holds which part of a table."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from bigviz.data.dataset import Dataset
from bigviz.tiles.cluster.parts.division import Part, divided, redivided

__all__ = ["Assignment"]


class Assignment:
    """What is divided, who is to hold each part, and what its holder may have to be told. Safe to use from any number
    of threads."""

    look: float | None = None
    """Seconds between two looks at what other servers have decided; None where there are no others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._datasets: dict[str, Dataset] = {}
        self._parts: dict[str, tuple[Part, ...]] = {}
        self._holder: dict[Part, str] = {}
        self._epochs: dict[Part, int] = {}  # another one whenever a worker begins to hold it
        self._numbers = itertools.count(1)  # for these: none is given again, also once a part is forgotten
        self._labels: dict[tuple[str, str], bytes] = {}
        self._moves: dict[str, int] = {}  # how often parts of a dataset have moved

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """The block reads what is decided."""
        with self._lock:
            yield

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        """The block decides something."""
        with self._lock:
            yield

    def parts_of(self, dataset: Dataset, there: Collection[str]) -> tuple[Part, ...]:
        """The parts that a dataset is divided into, in the order of their rows: one for each worker that is there when
        it is first asked for, as equal as its pieces allow."""
        with self._reading():
            found = self._parts.get(dataset.fingerprint)
            if found is not None and dataset.fingerprint in self._datasets:
                return found
        with self._deciding():
            found = self._parts.get(dataset.fingerprint)
            if found is None:
                workers = list(there)
                found = self._parts[dataset.fingerprint] = divided(dataset, max(len(workers), 1))
                for part, worker in zip(found, workers, strict=False):
                    self._hold(part, worker)
            self._datasets[dataset.fingerprint] = dataset
            self._note_taken(dataset)
            return found

    @property
    def datasets(self) -> list[Dataset]:
        """What is divided."""
        with self._lock:
            return list(self._datasets.values())

    @contextmanager
    def moving(self) -> Iterator[bool]:
        """Whether no other server moves rows, until the block ends."""
        yield True

    def plan(self, dataset: Dataset, there: Collection[str]) -> tuple[Part, ...] | None:
        """The parts that a dataset is to be divided into, so that all that are there hold some; None where it is to
        stay as it is. Their holders are named, and the parts of now stay where they are until `adopt`."""
        with self._deciding():
            parts = self._parts.get(dataset.fingerprint, ())
            holders = {part: self._holder[part] for part in parts if part in self._holder}
            if len(holders) < len(parts) or not parts:
                return None
            move = self._moves.get(dataset.fingerprint, 0) + 1
            found = redivided(dataset, holders, list(there), move)
            if found is None:
                return None
            self._moves[dataset.fingerprint] = move
            for part, worker in found.items():
                if holders.get(part) != worker:
                    self._hold(part, worker)
            return tuple(found)

    def adopt(self, dataset: Dataset, parts: tuple[Part, ...]) -> None:
        """Let a dataset be divided as it was planned, from now on."""
        with self._deciding():
            if dataset.fingerprint in self._datasets:  # else it was closed meanwhile
                self._parts[dataset.fingerprint] = parts

    def taken(self, dataset: Dataset) -> None:
        """This server answers from the present parts, and from no others."""
        with self._deciding():
            self._note_taken(dataset)

    def is_taken(self, dataset: Dataset) -> bool:
        """Whether all servers answer from the present parts."""
        return True

    def _note_taken(self, dataset: Dataset) -> None:
        """`taken`, for a block that decides."""

    def has_others(self, dataset: Dataset) -> bool:
        """Whether parts of another division still have holders."""
        with self._lock:
            now = self._parts.get(dataset.fingerprint, ())
            return any(part.dataset == dataset.fingerprint and part not in now for part in self._holder)

    def leave(self, dataset: Dataset) -> Mapping[Part, str]:
        """Clear the holders of parts that a dataset is not divided into any more. Returns who they were, but for those
        that hold the same rows as a present part."""
        with self._deciding():
            now = self._parts.get(dataset.fingerprint, ())
            held = {(part.first, part.stop, self._holder.get(part)) for part in now}
            left = self._drop(dataset, but=now)
        return {part: who for part, who in left.items() if (part.first, part.stop, who) not in held}

    def forget(self, dataset: Dataset) -> Mapping[Part, str]:
        """Drop all that is kept of a dataset, which is divided anew if somebody asks for it again. Returns who held its
        parts; nobody where another server still answers from them."""
        name = dataset.fingerprint
        with self._deciding():
            self._datasets.pop(name, None)
            for key in [key for key in self._labels if key[0] == name]:
                del self._labels[key]
            if self._is_anothers(dataset):
                return {}
            self._parts.pop(name, None)
            self._moves.pop(name, None)
            return self._drop(dataset)

    def _is_anothers(self, dataset: Dataset) -> bool:
        """Whether another server still answers from the parts of a dataset, which this one does not any more."""
        return False

    def _drop(self, dataset: Dataset, but: Collection[Part] = ()) -> dict[Part, str]:
        """Clear the holders of a dataset's parts. Returns who they were."""
        for part in [part for part in self._epochs if part.dataset == dataset.fingerprint and part not in but]:
            del self._epochs[part]
        old = [part for part in self._holder if part.dataset == dataset.fingerprint and part not in but]
        return {part: self._holder.pop(part) for part in old}

    def _hold(self, part: Part, worker: str) -> None:
        self._holder[part], self._epochs[part] = worker, next(self._numbers)

    def dataset_of(self, part: Part) -> Dataset | None:
        """The dataset of a part; None once it is forgotten."""
        with self._lock:
            return self._datasets.get(part.dataset)

    def holder(self, part: Part) -> tuple[str, int] | None:
        """Who is to hold a part, and a number that changes with the holder, or when the same one begins again; None
        where nobody is named."""
        with self._reading():
            worker = self._holder.get(part)
            return None if worker is None else (worker, self._epochs.get(part, 0))

    def begun(self, part: Part) -> None:
        """The holder of a part begins to hold it, with nothing of what was there."""
        with self._lock:
            if part in self._holder:
                self._epochs[part] = next(self._numbers)

    def next_holder(self, part: Part, there: Collection[str]) -> tuple[str, int] | None:
        """Who is to hold a part whose holder is gone: of the workers that are there the one with the fewest rows, or
        the one that was named meanwhile. None where no worker is there, or the dataset is forgotten."""
        with self._deciding():
            rows = dict.fromkeys(there, 0)
            named = self._holder.get(part)
            if not rows or part.dataset not in self._datasets or (named not in rows and self._is_awaited(part)):
                return None
            if named is None or named not in rows:
                for each, who in self._holder.items():
                    if who in rows:
                        rows[who] += each.rows
                named = min(rows, key=lambda each: rows[each])
                self._hold(part, named)
            return named, self._epochs.get(part, 0)

    def _is_awaited(self, part: Part) -> bool:
        """Whether another server has named a worker that this one may not have met yet."""
        return False

    def know_labels(self, dataset: Dataset, column: str, labels: bytes) -> None:
        """Keep the labels of a category, for the workers that lack them."""
        with self._lock:
            if dataset.fingerprint in self._datasets:
                self._labels[dataset.fingerprint, column] = labels

    def labels(self, fingerprint: str, column: str) -> bytes | None:
        """The labels of a category of a dataset, if they are kept."""
        with self._lock:
            return self._labels.get((fingerprint, column))
