"""How finished planes of a reduction are to be coloured."""

from __future__ import annotations

from typing import Final, Literal

from bigviz.aggregate.reductions.base import Reduction
from bigviz.render.shade import Cells

__all__ = ["PRESENCE", "picture_cells"]

PRESENCE: Final = Cells("zero")  # whose filled cells are all alike


def picture_cells(reduction: Reduction) -> Cells:
    """What the cells of its planes mean for a picture."""
    traits = reduction.traits
    empty: Literal["counts", "zero", "null"] = (
        "counts" if traits.counts else "zero" if traits.total == "any" else "null"
    )
    return Cells(empty, reduction.category is not None)
