"""Calls in threads that another thread can interrupt."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Final

__all__ = ["Interruptible", "TimeLimit"]

_set_error: Final = ctypes.pythonapi.PyThreadState_SetAsyncExc


class TimeLimit(BaseException):
    """A call takes longer than it may. Not an Exception, so that a loop which goes on after those ends too."""


class Interruptible:
    """Numbered calls, each in the thread that runs it."""

    def __init__(self) -> None:
        self._threads: dict[int, int] = {}
        self._lock = threading.Lock()

    def run(self, number: int, call: Callable[[], None]) -> None:
        """Make a call. Raises what it does, and TimeLimit in place of that once it was interrupted. Python looks for
        interruptions between its own steps: what waits in native code, such as `time.sleep`, goes on until it ends."""
        thread = threading.get_ident()
        with self._lock:
            self._threads[number] = thread
        try:
            call()
        finally:
            with self._lock:  # from here on nobody interrupts it
                del self._threads[number]
                _set_error(ctypes.c_ulong(thread), None)  # nor did so a moment ago

    def interrupt(self, number: int) -> bool:
        """Let a call raise TimeLimit at its next step; False where it has ended."""
        with self._lock:
            thread = self._threads.get(number)
            if thread is not None:
                _set_error(ctypes.c_ulong(thread), ctypes.py_object(TimeLimit))
            return thread is not None
