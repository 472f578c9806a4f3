"""All that a layer needs on the disk: rows in order, with columns and the pyramid over them, or a line's series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bigviz.data.dataset import Dataset
from bigviz.tiles.layer import Layer
from bigviz.tiles.store.directory import StoreDirectory
from bigviz.tiles.store.spec import OrderSpec
from bigviz.tiles.work import Crew

__all__ = ["index_layer"]


def index_layer(stores: StoreDirectory, dataset: Dataset, layer: Layer, columns: Sequence[str], crew: Crew) -> Path:
    """The store of a layer, held, with the columns of its reduction, `columns` besides, and its pyramid.

    What is there already is not built again. Raises what `StoreDirectory.build` raises.
    """
    layer.check(dataset)
    for name in columns:
        dataset.info(name)
    return stores.build(dataset, OrderSpec.of(layer), [*layer.reduction.columns, *columns], crew)
