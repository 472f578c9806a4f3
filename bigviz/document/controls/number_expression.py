"""What a live figure computes: `count()`, or `sum`, `mean`, `min` or `max` of a column."""

from __future__ import annotations

from typing import Final

from bigviz.aggregate.reductions.text import read_reduction
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput

__all__ = ["parsed_number"]

_NAMES: Final = ("count", "sum", "mean", "min", "max")


def parsed_number(text: str) -> tuple[str, str | None]:
    """The name of what is computed, and the column, None for the number of rows. Raises BadInput."""
    found = read_reduction(text)
    if found.name not in _NAMES or (found.name == "count" and found.column is not None):
        raise BadInput(
            f"expected count(), or sum, mean, min or max of a column, such as mean(fare), got {echoed(text)}.",
            "expression",
            text,
        )
    return found.name, found.column
