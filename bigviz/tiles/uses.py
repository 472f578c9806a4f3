"""Which loaded columns are in use: by the layers that are kept, and by the builds that run."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from bigviz.data.column import Column
from bigviz.data.dataset import Dataset
from bigviz.tiles.layer import Layer

__all__ = ["Uses"]


class Uses:
    """Lets columns go when nothing uses them any more. Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._uses: dict[Hashable, tuple[Dataset, frozenset[str]]] = {}

    @contextmanager
    def building(self, dataset: Dataset, layer: Layer) -> Iterator[None]:
        """While a layer is built. However that ends, what it loaded goes, unless a layer was kept for it."""
        run = object()
        self.keep(run, dataset, layer)
        try:
            yield
        finally:
            self.drop(run)

    def keep(self, key: Hashable, dataset: Dataset, layer: Layer) -> None:
        """A layer uses its columns from now on."""
        self._uses[key] = dataset, frozenset((layer.x, layer.y, *layer.reduction.columns))

    def drop(self, key: Hashable) -> None:
        """A layer is gone, and with it those of its columns that nothing else uses."""
        dataset, _ = self._uses.pop(key, (None, frozenset()))
        if dataset is not None:
            dataset.release({name for each, names in list(self._uses.values()) if each is dataset for name in names})

    def columns(self) -> list[Column]:
        """The columns that are loaded."""
        datasets = {id(dataset): dataset for dataset, _ in list(self._uses.values())}
        return [column for dataset in datasets.values() for column in dataset.loaded()]
