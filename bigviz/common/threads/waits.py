"""Waiting for another machine: flags that end the wait, and a place that others may have while it lasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Final, Protocol, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled

__all__ = ["Place", "in_context", "inheriting", "interruptible", "wait_for", "waits_at", "waits_end_with"]

T = TypeVar("T")

_LOOK: Final = 0.05  # seconds between two looks at the flags
_LONG: Final = 1.0  # seconds of a wait in which nobody else needs the place


class Place(Protocol):
    """What a thread has of which there are few, such as a worker's turn. Several threads may wait in one's name."""

    def leave(self) -> None:
        """The thread waits for long, so another may have the place. Raises Busy if too many wait as this one does."""

    def take(self) -> None:
        """It goes on."""


_flags: ContextVar[tuple[Cancel, ...]] = ContextVar("flags", default=())
_place: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def waits_end_with(cancel: Cancel) -> Iterator[None]:
    """What is waited for in the block, in this thread, is given up once the flag is up."""
    token = _flags.set((*_flags.get(), cancel))
    try:
        yield
    finally:
        _flags.reset(token)


@contextmanager
def waits_at(place: Place) -> Iterator[None]:
    """What waits for long in the block, in this thread, leaves the place meanwhile."""
    token = _place.set(place)
    try:
        yield
    finally:
        _place.reset(token)


def in_context(call: Callable[..., T]) -> Callable[..., T]:
    """The call for one other thread, whose waits are then as those of this one."""
    return partial(copy_context().run, call)


def inheriting() -> Callable[[], None]:
    """What another thread calls so that from then on its waits are as those of this one."""
    flags, place = _flags.get(), _place.get()

    def inherit() -> None:
        _flags.set(flags)
        _place.set(place)

    return inherit


def interruptible(items: Iterable[T], cancel: Cancel) -> Iterator[T]:
    """The items; what is waited for to get them is given up once the flag is up."""
    iterator = iter(items)
    while True:
        with waits_end_with(cancel):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item


def wait_for(future: Future[T]) -> T:
    """The result of what another thread does. Raises `Cancelled`, after giving it up, when a flag is up or nobody does
    it any more, and `Busy` where the place may not be left."""
    began, left = time.monotonic(), None
    try:
        while not (future.done() or wait((future,), _LOOK).done):
            for flag in _flags.get():
                flag.check()
            place = _place.get()
            if left is None and place is not None and time.monotonic() - began > _LONG:
                place.leave()
                left = place
        return future.result()
    except CancelledError:
        raise Cancelled() from None
    finally:
        future.cancel()
        if left is not None:
            left.take()
