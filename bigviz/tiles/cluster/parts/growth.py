"""How an estimate over the parts that are there waits for another one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition
from typing import Final

from bigviz.common.cancel import Cancel

__all__ = ["await_growth"]

_SECONDS: Final = 0.5  # after which an estimate that has not grown says so


def await_growth(noted: Condition, generation: Callable[[], int], cancel: Cancel) -> None:
    """Wait until the generation is another one, which `noted` is notified of; half a second at most. Raises Cancelled
    for a caller who had given up before."""
    cancel.check()
    before = generation()
    with noted:
        noted.wait_for(lambda: cancel.cancelled or generation() != before, _SECONDS)
