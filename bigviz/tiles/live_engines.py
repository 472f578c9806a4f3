"""The engines of this process: what one of them has in order, an image need not read from a disk."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Hashable

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.tiles.interface import Engine
from bigviz.tiles.layer_cache import LayerStore
from bigviz.tiles.morton.order import Order

__all__ = ["add_engine", "engine_with", "order_anywhere"]

_lock = threading.Lock()
_engines: weakref.WeakKeyDictionary[Engine, LayerStore] = weakref.WeakKeyDictionary()


def add_engine(engine: Engine, layers: LayerStore) -> None:
    """Let others find what an engine has, as long as it lives."""
    with _lock:
        _engines[engine] = layers


def engine_with(dataset: Dataset, layer: Layer) -> Engine | None:
    """An engine that answers for a layer from rows in order; None where none has built it."""
    with _lock:
        engines = list(_engines)
    return next((each for each in engines if each.readiness(dataset, layer) in ("complete", "answering")), None)


def order_anywhere(key: Hashable) -> Order | None:
    """An order of columns in memory that some engine has."""
    with _lock:
        stores = list(_engines.values())
    return next((order for each in stores if (order := each.order(key)) is not None and order.has_columns), None)
