"""Indexes of layers on the disk: finds them, and writes those that the operator allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from bigviz.aggregate.layer import Layer
from bigviz.common.errors import Unreadable
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.layer_inputs import kept_columns
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.store.catalog.atomic_build import Write
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.order.added_column import add_column, open_column

__all__ = ["STORED_ROWS", "DiskIndexes", "IndexMode"]

IndexMode = Literal["auto", "existing", "never"]

STORED_ROWS: Final = 1 << 24  # a smaller table is in order sooner than its store is read


class DiskIndexes:
    """Stores of orders and series, with the columns and pyramids that were added to them. Safe to use from any number
    of threads."""

    def __init__(self, stores: StoreDirectory | None, mode: IndexMode) -> None:
        """With "auto" stores of published layers are written, with "existing" only used, with "never" neither."""
        self._stores = None if mode == "never" else stores
        self._writes = mode == "auto"
        self._published: set[tuple[str, OrderSpec]] = set()
        self._published_layers: set[tuple[str, Layer]] = set()

    def publish(self, dataset: Dataset, layer: Layer) -> None:
        """The operator shows this layer: its index may be written."""
        self._published.add((dataset.fingerprint, OrderSpec.of(layer)))
        self._published_layers.add((dataset.fingerprint, layer))

    def is_published(self, fingerprint: str, layer: Layer) -> bool:
        """Whether the operator shows a layer of a dataset."""
        return (fingerprint, layer) in self._published_layers

    def find(self, dataset: Dataset, layer: Layer) -> Path | None:
        """The folder of the layer's store, if there is one."""
        return None if self._stores is None else self._stores.find(dataset, OrderSpec.of(layer))

    def may_build(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether a store is worth building, and the operator allows it."""
        large = bool(dataset.files) and dataset.num_rows >= STORED_ROWS
        published = (dataset.fingerprint, OrderSpec.of(layer)) in self._published
        return large and self._stores is not None and self._writes and published

    def found_or_built(self, dataset: Dataset, layer: Layer, crew: Crew) -> Path | None:
        """The folder of the layer's store: found, or built where that is allowed and worth it."""
        if self._stores is None or not dataset.files:
            return None
        found = self.find(dataset, layer)
        if found is not None or not self.may_build(dataset, layer):
            return found
        with self._stores.refusals():
            return self._stores.build(dataset, OrderSpec.of(layer), kept_columns(layer), crew, layer.reduction)
        return None

    def column(
        self, dataset: Dataset, layer: Layer, store: Path, order: Order, name: str, crew: Crew, adds: bool = True
    ) -> OrderedColumn | None:
        """A column that is kept in the order, or was added to its store, or is where that is allowed and it `adds`;
        else None."""
        assert self._stores is not None
        found = order.column(name)
        if found is not None:
            return found
        folder = self._stores.part(store, "columns", name)
        if folder is not None:
            return open_column(folder, len(order.guard))
        if adds and self.may_add(dataset, layer):
            with self._stores.refusals():
                return add_column(self._stores, store, dataset, order, name, crew)
        return None

    def columns(
        self, dataset: Dataset, layer: Layer, order: Order, crew: Crew
    ) -> dict[str, OrderedColumn | None] | None:
        """The columns of a layer that its store has; None without a store."""
        store = self.find(dataset, layer)
        if store is None:
            return None
        return {name: self.column(dataset, layer, store, order, name, crew, False) for name in kept_columns(layer)}

    def pyramid(self, store: Path, layer: Layer) -> Path | None:
        """The folder of a layer's pyramid, if there is one."""
        assert self._stores is not None
        return self._stores.part(store, "pyramids", str(layer.reduction))

    def add_pyramid(self, store: Path, layer: Layer, write: Write, crew: Crew, expected: int) -> Path | None:
        """The folder of a layer's pyramid, which `write` fills with about `expected` bytes; None where the disk or its
        limit do not allow that."""
        assert self._stores is not None
        with self._stores.refusals():
            return self._stores.add(store, "pyramids", str(layer.reduction), write, crew, expected)
        return None

    def may_add(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether columns and a pyramid of a layer may be added to its store."""
        return self._writes and self.is_published(dataset.fingerprint, layer)

    def is_damage(self, error: Unreadable) -> bool:
        """Whether an error is of a store's file, not of the dataset's."""
        return self._holder(error) is not None

    def drop_damaged(self, error: Unreadable) -> None:
        """Remove the store, or the part of one, that an error names."""
        damaged = self._holder(error)
        if damaged is not None and self._stores is not None:
            self._stores.drop(damaged)

    @contextmanager
    def but_for_damage(self) -> Iterator[None]:
        """Go on where a store is damaged."""
        try:
            yield
        except Unreadable as error:
            if not self.is_damage(error):
                raise

    def _holder(self, error: Unreadable) -> Path | None:
        if self._stores is None or not isinstance(error.got, str):
            return None
        return self._stores.holder(error.got)
