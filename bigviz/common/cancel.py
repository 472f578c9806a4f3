"""A flag by which one thread tells another that its result is no longer wanted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bigviz.common.errors import Cancelled

__all__ = ["NEVER", "Cancel", "locked"]

_SECONDS_BETWEEN_CHECKS: Final = 0.05


class Cancel:
    """A one-way flag. Long work calls `check()` between slices of a few milliseconds.

    Reading and writing a single attribute is atomic in CPython, so no lock is needed: the flag only ever goes from
    False to True.
    """

    __slots__ = ("_cancelled",)

    def __init__(self) -> None:
        self._cancelled = False

    def cancel(self) -> None:
        """Raise the flag; a second call changes nothing."""
        self._cancelled = True

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def check(self) -> None:
        """Raise `Cancelled` if the flag is up."""
        if self._cancelled:
            raise Cancelled()


class _Never(Cancel):
    """The flag of work that always runs to its end. Shared, so cancelling it would stop unrelated work."""

    __slots__ = ()

    def cancel(self) -> None:
        raise RuntimeError("NEVER is shared by everybody and cannot be cancelled: pass a Cancel() of your own")


NEVER: Cancel = _Never()


@contextmanager
def locked(lock: threading.Lock, cancel: Cancel) -> Iterator[None]:
    """Hold a lock. Raises `Cancelled` when the flag goes up while another thread holds it."""
    while not lock.acquire(timeout=_SECONDS_BETWEEN_CHECKS):
        cancel.check()
    try:
        yield
    finally:
        lock.release()
