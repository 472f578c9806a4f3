"""What a live figure computes: `count()`, or `sum`, `mean`, `min` or `max` of a column."""

from __future__ import annotations

from typing import Final

from bigviz.aggregate.inputs import check
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.columns.column import own_name
from bigviz.data.dataset import Dataset

__all__ = ["check_number", "parsed_number"]

_NAMES: Final = ("count", "sum", "mean", "min", "max")


def parsed_number(text: str) -> tuple[str, str | None]:
    """The name of what is computed, and the column, None for the number of rows. Raises BadInput."""
    found = parse(text)
    name = str(found).split("(")[0]
    columns = [own_name(each) for each in found.columns]
    if name not in _NAMES or len(columns) > 1 or (name == "count" and columns):
        raise BadInput(
            f"expected count(), or sum, mean, min or max of a column, such as mean(fare), got {echoed(text)}.",
            "expression",
            text,
        )
    return name, columns[0] if columns else None


def check_number(text: str, dataset: Dataset) -> None:
    """Check a live figure against a table's schema; nothing is read. Raises BadInput, NotFound or Unplottable."""
    parsed_number(text)
    check(dataset, parse(text))
