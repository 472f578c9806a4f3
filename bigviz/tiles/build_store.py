"""Everything that a layer needs on the disk: rows in order, with columns and the pyramid over them, or a line's
series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bigviz.aggregate.layer import Layer
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.order.added_column import add_column
from bigviz.tiles.store.order.stored_order import open_stored_order

__all__ = ["index_layer"]


def index_layer(stores: StoreDirectory, dataset: Dataset, layer: Layer, columns: Sequence[str], crew: Crew) -> Path:
    """The store of a layer, held, with the columns of its reduction, further `columns`, and its pyramid.

    What is there already is not built again; columns that are not are gathered. Room for all of it is made first.
    Raises what `StoreDirectory.build` raises.
    """
    layer.check(dataset)
    names = list(dict.fromkeys([*layer.reduction.columns, *columns]))
    for name in names:
        dataset.info(name)
    spec = OrderSpec.of(layer)
    store = stores.build(dataset, spec, names, crew, layer.reduction)
    if spec.kind == "series":
        return store
    order = open_stored_order(store)
    for name in names:
        if order.column(name) is None:
            add_column(stores, store, dataset, order, name, crew)
    engine = Engine(threads=crew.threads, stores=stores, index="auto")
    engine.publish(dataset, layer)
    engine.ensure(dataset, layer, crew.progress, crew.cancel)
    return store
