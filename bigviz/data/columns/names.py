"""The names under which a dataset gives its columns."""

from __future__ import annotations

from typing import Final

__all__ = ["as_labels", "own_name"]

_AS_LABELS: Final = "\0labels"  # no column of a file that people name ends like this


def as_labels(name: str) -> str:
    """The name under which a dataset gives a column of integers or booleans as a category, its values as labels."""
    return name + _AS_LABELS


def own_name(name: str) -> str:
    """The name of the table's own column that a name stands for, alone or with `as_labels`."""
    return name.removesuffix(_AS_LABELS)
