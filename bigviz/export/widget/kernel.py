"""The notebook's kernel, if this is one, and what it executes now. IPython is looked at only where it was imported."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

__all__ = ["Execution", "execution", "is_kernel"]


@dataclass(frozen=True)
class Execution:
    """One run of a cell: `cell` is None where the notebook does not tell which."""

    id: str
    cell: str | None


def is_kernel() -> bool:
    """Whether this process is a kernel whose outputs a notebook shows; IPython in a terminal is none."""
    return getattr(_shell(), "kernel", None) is not None


def execution() -> Execution | None:
    """What is executed now; None outside of a kernel."""
    if not is_kernel():
        return None
    parent = _shell().get_parent() or {}
    cell = parent.get("metadata", {}).get("cellId")
    return Execution(str(parent.get("header", {}).get("msg_id", "")), None if cell is None else str(cell))


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
