"""What a reduction's cells mean, declared once for all code that keeps, sends, draws or describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Part", "Rule", "Traits"]

Part = Literal["count", "value", "mask"]
Rule = Literal["sum", "any", "mean", "min", "max", "first", "last"]


@dataclass(frozen=True)
class Traits:
    """What the cells of a reduction mean.

    - `parts`: what each array of `create` holds. "count": numbers of rows, 0 in an empty cell; "value": numbers that
      mean something in filled cells only; "mask": uint8, 1 in filled cells.
    - `derived`: a cell's value is computed from its parts; else it is the first of them.
    - `own`: a cell holds one of the column's values, in the column's type; else a number made of them.
    - `additive`: twice the rows make twice the value. A cell that stands in for smaller ones is divided by their
      number, and a sample's is multiplied up to the table's; other values are kept.
    - `zero`: an empty cell is 0 where numbers are sent without a mask; else NaN or null.
    - `pixel`: how the cells that fall on one pixel are drawn.
    - `total`: how the values of several cells, or of the categories of one, combine into that of all their rows; None
      where the values alone do not tell.
    - `float_order`: the last bits of floats depend on the order in which rows are added.
    """

    parts: tuple[Part, ...]
    pixel: Rule
    total: Rule | None
    derived: bool = False
    own: bool = False
    additive: bool = False
    zero: bool = False
    float_order: bool = False

    @property
    def counts(self) -> bool:
        """Whether cells are numbers of rows, which no mask is needed for: 0 is empty."""
        return self.parts == ("count",)
