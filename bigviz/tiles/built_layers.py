"""The layers of one engine: each is built once, whoever asks for it, and kept while memory lasts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Final

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Unreadable
from bigviz.common.progress import Progress, no_progress
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.appending.growth import Version
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.layer_cache import LayerStore, Uses, Versions
from bigviz.tiles.layer_factory import Maker
from bigviz.tiles.live_engines import order_anywhere
from bigviz.tiles.morton.order import Order
from bigviz.tiles.shared_orders import Orders

__all__ = ["BuiltLayers", "layer_key", "order_key"]

_log = logging.getLogger("bigviz")

_BEHIND: Final = 1 << 24  # rows from which on a build's threads step back: others are done within a second


class BuiltLayers:
    """Safe to use from any number of threads."""

    def __init__(
        self,
        threads: int,
        memory: int,
        make: Callable[[Orders], Maker],
        damaged: Callable[[Dataset], None],
        borrows: bool = False,
    ) -> None:
        """Builds use `threads`; `memory` bytes of layers are kept. `make` gives what makes them, with the orders that
        they share; `damaged` is called with a dataset whose store was removed because it is damaged. With `borrows`
        orders that other engines of this process have in memory are used."""
        self._threads, self._damaged = threads, damaged
        self.store = LayerStore(memory)
        self._uses = Uses()
        self._versions = Versions()
        self._flights: Flights[LayerAnswers] = Flights()
        find = self._order_anywhere if borrows else self.store.order
        self.maker = make(Orders(find, self.store.put_order, self._drop_order))

    def find(self, dataset: Dataset, layer: Layer) -> LayerAnswers | None:
        """The layer, if it is there."""
        return self.store.find(layer_key(dataset, layer))[0]

    def later(self, before: Version, after: Dataset, layer: Layer) -> LayerAnswers | None:
        """The layer of the later one of two versions of a dataset, if it is there."""
        return self.find(after, layer) if before.lineage is not None and before.lineage == after.lineage else None

    def under_way(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether the layer is being built."""
        return self._flights.under_way(layer_key(dataset, layer))

    def order(self, dataset: Dataset, layer: Layer) -> Order | None:
        """The rows of a layer of points in order, if a layer uses them."""
        return self.store.order(order_key(dataset, layer))

    def memory(self) -> dict[str, int]:
        """Bytes held, as `LayerStore.memory` has them."""
        return self.store.memory(self._uses.columns())

    def forget(self, dataset: Dataset) -> None:
        """Drop the layers of a dataset that is shown nowhere any more."""
        for key in (*self._uses.of(dataset), *self._versions.of(dataset)):
            self._drop(key)
        self.maker.forget(dataset)

    def ready(
        self,
        dataset: Dataset,
        layer: Layer,
        progress: Progress = no_progress,
        cancel: Cancel = NEVER,
        whole: bool = False,
    ) -> LayerAnswers:
        """The layer, built if need be, as soon as it answers; with `whole`, as soon as its index is complete. Raises
        what `Engine.ensure` does."""
        key = layer_key(dataset, layer)
        built, complete = self.store.find(key)
        if built is not None and (complete or not whole):
            return built
        layer.check(dataset)
        layer = layer.bound(dataset)

        def build(tell: Progress, stop: Cancel) -> LayerAnswers:
            behind = dataset.num_rows >= _BEHIND and not self.maker.grows(dataset, layer)
            crew = Crew(self._threads, tell, stop, self.maker.turns, behind)
            opened = partial(self.keep, dataset, layer, whole=False)
            try:
                with self._uses.building(dataset, layer):
                    made = self.maker.make(dataset, layer, order_key(dataset, layer), crew, opened)
                    self.keep(dataset, layer, made)
            except Unreadable as error:
                if self.maker.disk.is_damage(error):
                    raise _damaged(dataset, error) from error
                raise
            return made

        return self._flights.get(key, build, progress, cancel)

    @contextmanager
    def answering(self, dataset: Dataset, layer: Layer, cancel: Cancel = NEVER) -> Iterator[LayerAnswers]:
        """The layer, for one answer, for which builds make way. A store that turns out to be damaged is removed, so
        that the layer is built again when it is next needed."""
        built = self.ready(dataset, layer, no_progress, cancel)
        try:
            # A pass does not count as a request: it takes seconds, and makes way for requests itself.
            with nullcontext() if built.is_scanned else self.request():
                yield built
        except Unreadable as error:
            raise self.mended(dataset, layer, error) from error

    def request(self) -> AbstractContextManager[None]:
        """While this is held, builds make way."""
        return self.maker.turns.request()

    def mended(self, dataset: Dataset, layer: Layer, error: Unreadable) -> Unreadable:
        """The error to raise for one that a layer met with; a damaged store is removed."""
        if not self.maker.disk.is_damage(error):
            return error
        self.maker.drop_damaged(error, order_key(dataset, layer))
        self._drop(layer_key(dataset, layer))
        self._damaged(dataset)
        return _damaged(dataset, error)

    def keep(self, dataset: Dataset, layer: Layer, made: LayerAnswers, whole: bool = True) -> None:
        """Keep a layer; the columns of layers that are dropped for it are released, unless others use them."""
        key = layer_key(dataset, layer)
        if made.spans_versions:
            for old in self._versions.keep(key, dataset, layer):
                self.store.drop(old)
        else:
            self._uses.keep(key, dataset, layer)
        self._put(key, made, whole)

    def replace(self, built: LayerAnswers, other: LayerAnswers) -> None:
        """Answer from another layer in place of one."""
        for key in self.store.keys_of(built):
            self._put(key, other, True)

    def _put(self, key: Hashable, made: LayerAnswers, whole: bool) -> None:
        for gone in self.store.put(key, made, whole):
            self._let_go(gone)

    def _drop(self, key: Hashable) -> None:
        self.store.drop(key)
        self._let_go(key)

    def _let_go(self, key: Hashable) -> None:
        """A layer was dropped."""
        self._uses.drop(key)
        self._versions.drop(key)

    def _order_anywhere(self, key: Hashable) -> Order | None:
        found = self.store.order(key)
        return order_anywhere(key) if found is None else found

    def _drop_order(self, key: Hashable) -> None:
        for gone in self.store.drop_order(key):
            self._let_go(gone)


def layer_key(dataset: Dataset, layer: Layer) -> tuple[Hashable, ...]:
    """What a layer of a version of a dataset is found by."""
    return dataset.fingerprint, dataset.version, layer.key()


def order_key(dataset: Dataset, layer: Layer) -> tuple[Hashable, ...]:
    """What the order of a layer's rows is found by."""
    return dataset.fingerprint, dataset.version, OrderSpec.of(layer)


def _damaged(dataset: Dataset, error: Unreadable) -> Unreadable:
    """The error for a damaged store as a client sees it: where the store lies is for the operator, in the log."""
    _log.warning("the index of %r is damaged: %s", dataset.name, error.message)
    return Unreadable(f"The index of {dataset.name!r} is damaged: it is being built again, try once more.")
