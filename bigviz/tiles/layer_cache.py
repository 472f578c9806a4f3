"""The layers that are built, as many as fit their share of memory; the least recently used are dropped first."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bigviz.aggregate.layer import Layer
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.layer_answers import Held, LayerAnswers, columns_held
from bigviz.tiles.morton.order import Order

__all__ = ["LayerStore", "Uses", "Versions"]


_SECONDS_KEPT: Final = 30.0  # of a layer whose version nobody holds, in which somebody may ask for it of the next one


class LayerStore:
    """At most `limit` bytes of layers by key, what several layers share counted once.

    The layer put last stays, however large it is. An order lives as long as a layer that uses it. Safe to use from any
    number of threads.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._layers: OrderedDict[Hashable, LayerAnswers] = OrderedDict()
        self._whole: set[Hashable] = set()
        self._bound: tuple[type, int] | None = None
        self._orders: weakref.WeakValueDictionary[Hashable, Order] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> tuple[LayerAnswers | None, bool]:
        """The layer, which becomes the most recently used, and whether it is completely built; None and False without
        one."""
        with self._lock:
            layer = self._layers.get(key)
            if layer is not None:
                self._layers.move_to_end(key)
            return layer, key in self._whole

    def put(self, key: Hashable, layer: LayerAnswers, whole: bool = True) -> list[Hashable]:
        """Keep a layer, and drop older ones until all fit; returns their keys. A layer that is not whole answers, if
        more slowly."""
        gone: list[Hashable] = []
        with self._lock:
            self._layers[key] = layer
            self._layers.move_to_end(key)
            if whole:
                self._whole.add(key)
            while len(self._layers) > 1 and sum(self._weights().values()) > self._limit:
                gone.append(self._layers.popitem(last=False)[0])
            for old in self._beyond_bound():
                del self._layers[old]
                gone.append(old)
            self._whole.difference_update(gone)
        return gone

    def keys_of(self, layer: LayerAnswers) -> list[Hashable]:
        """The keys that a layer is found by."""
        with self._lock:
            return [key for key, found in self._layers.items() if found is layer]

    def bound(self, kind: type, most: int) -> None:
        """Keep at most so many layers of a kind from now on."""
        self._bound = kind, most

    def drop(self, key: Hashable) -> None:
        """Forget a layer."""
        with self._lock:
            self._layers.pop(key, None)
            self._whole.discard(key)

    def order(self, key: Hashable) -> Order | None:
        """The order, if a layer still uses it."""
        with self._lock:
            return self._orders.get(key)

    def put_order(self, key: Hashable, order: Order) -> None:
        """Let other layers find an order."""
        with self._lock:
            self._orders[key] = order

    def drop_order(self, key: Hashable) -> list[Hashable]:
        """Forget an order, and the layers over it: their keys."""
        with self._lock:
            order = self._orders.pop(key, None)
            layers = () if order is None else self._layers.items()
            over = [name for name, layer in layers if any(held.what is order for held in layer.held())]
            for name in over:
                del self._layers[name]
                self._whole.discard(name)
        return over

    def memory(self, loaded: Sequence[Column] = ()) -> dict[str, int]:
        """Bytes held: `orders` (rows in order and the columns in their order), `pyramids`, `series`, and `columns` (as
        they were read): those of the layers and the `loaded` ones, each counted once."""
        with self._lock:
            return self._weights(loaded)

    def _beyond_bound(self) -> list[Hashable]:
        """The keys of layers that are more than may be kept of their kind: those that were used longest ago."""
        if self._bound is None:
            return []
        kind, most = self._bound
        keys = [key for key, layer in self._layers.items() if isinstance(layer, kind)]
        return keys[: max(0, len(keys) - most)]

    def _weights(self, loaded: Sequence[Column] = ()) -> dict[str, int]:
        held: dict[int, Held] = {}
        for layer in self._layers.values():
            held.update((id(each.what), each) for each in layer.held())
        held.update((id(each.what), each) for each in columns_held(loaded))
        sums = dict.fromkeys(("orders", "pyramids", "series", "columns"), 0)
        for each in held.values():
            sums[each.kind] += each.nbytes
        return sums


class Uses:
    """Releases columns when nothing uses them any more. Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._uses: dict[Hashable, tuple[Dataset, frozenset[str]]] = {}

    @contextmanager
    def building(self, dataset: Dataset, layer: Layer) -> Iterator[None]:
        """While a layer is built. However that ends, what it loaded is released, unless a layer was kept."""
        run = object()
        self.keep(run, dataset, layer)
        try:
            yield
        finally:
            self.drop(run)

    def keep(self, key: Hashable, dataset: Dataset, layer: Layer) -> None:
        """A layer uses its columns from now on."""
        self._uses[key] = dataset, frozenset(layer.columns)

    def drop(self, key: Hashable) -> None:
        """A layer is gone, and with it those of its columns that nothing else uses."""
        dataset, _ = self._uses.pop(key, (None, frozenset()))
        if dataset is not None:
            dataset.release({name for each, names in list(self._uses.values()) if each is dataset for name in names})

    def of(self, dataset: Dataset) -> list[Hashable]:
        """The layers of a dataset."""
        return [key for key, (each, _) in list(self._uses.items()) if each is dataset]

    def columns(self) -> list[Column]:
        """The columns that are loaded."""
        datasets = {id(dataset): dataset for dataset, _ in list(self._uses.values())}
        return [column for dataset in datasets.values() for column in dataset.loaded()]


@dataclass
class _Kept:
    """A layer of a version; `unheld` is when the version was first seen to be held by nobody."""

    lineage: str | None
    version: int
    layer: tuple[str, ...]
    dataset: weakref.ref[Dataset]
    unheld: float | None = None


class Versions:
    """Which layers of datasets that grow are not needed any more: those of versions that nobody holds, once a newer one
    is there. Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Kept] = {}
        self._lock = threading.Lock()

    def keep(self, key: Hashable, dataset: Dataset, layer: Layer) -> list[Hashable]:
        """A layer of a version is there: returns the layers to drop. Others than its own in older versions are dropped
        half a minute later, since somebody may be about to ask for them in this version too."""
        now = time.monotonic()
        made = _Kept(dataset.lineage, dataset.version, layer.key(), weakref.ref(dataset))
        gone: list[Hashable] = []
        with self._lock:
            self._kept[key] = made
            for name, each in self._kept.items():
                if each.lineage != made.lineage or each.version >= made.version or each.dataset() is not None:
                    continue
                if each.unheld is None:
                    each.unheld = now
                if each.layer == made.layer or now - each.unheld > _SECONDS_KEPT:
                    gone.append(name)
            for name in gone:
                del self._kept[name]
        return gone

    def drop(self, key: Hashable) -> None:
        """A layer is gone."""
        with self._lock:
            self._kept.pop(key, None)

    def of(self, dataset: Dataset) -> list[Hashable]:
        """The layers of a version of a dataset."""
        with self._lock:
            return [key for key, each in self._kept.items() if each.dataset() is dataset]
