"""The orders of rows that layers share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from bigviz.tiles.morton.order import Order

__all__ = ["Orders"]


@dataclass(frozen=True)
class Orders:
    """The orders that layers share: how to find one, to let others find it, and to forget it."""

    find: Callable[[Hashable], Order | None]
    put: Callable[[Hashable, Order], None]
    drop: Callable[[Hashable], None]
