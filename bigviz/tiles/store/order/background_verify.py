"""The blocks of a mapped order, verified before they are needed, while no request runs."""

from __future__ import annotations

import threading
import weakref
from typing import Final

import numpy as np

from bigviz.common.cancel import NEVER
from bigviz.common.daemon_thread import is_closing, start_daemon
from bigviz.common.errors import Unreadable
from bigviz.common.memory import available_memory
from bigviz.common.priority import Turns
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.store.order.stored_order import StoredOrder

__all__ = ["verify_ahead"]

_SHARE: Final = 3  # of free memory: what is larger would drive other files out of the page cache
_STRIDE: Final = 4 << 20  # bytes between two looks at whether somebody waits: half a millisecond


def verify_ahead(order: StoredOrder, turns: Turns) -> threading.Thread | None:
    """Verify the keys and the columns of an order in a thread, which ends when nobody else uses the order.

    An estimate looks at rows all over a tile, so the first one verifies most blocks: at 10^8 rows that takes 0.1 s of
    the time in which it should be there. (So it does not step back as builds do: next to one, the first estimate of
    another column's reduction then took 250 ms instead of 75.) None where memory would not hold the files. Damage is
    left to those that need the block.
    """
    if sum(each.array.nbytes for each in _arrays(order)) > available_memory() // _SHARE:
        return None
    return start_daemon("bigviz-verify", _verify, weakref.ref(order), turns)


def _arrays(order: StoredOrder) -> list[VerifiedArray]:
    columns = [each for column in order.columns.values() for each in (column.values, column.valid, column.codes)]
    return [order.guard.keys, *(each for each in columns if each is not None)]


def _verify(waiting: weakref.ref[StoredOrder], turns: Turns) -> None:
    which = first = 0
    while not is_closing() and (order := waiting()) is not None:
        arrays = _arrays(order)
        if which == len(arrays):
            return
        array = arrays[which]
        stop = min(first + _STRIDE // array.array.itemsize, len(array))
        turns.give_way(NEVER)
        try:
            array.open(np.array([first]), np.array([stop]))
        except Unreadable:
            return
        which, first = (which + 1, 0) if stop == len(array) else (which, stop)
        del order, arrays, array
