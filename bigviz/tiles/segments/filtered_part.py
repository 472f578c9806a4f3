"""The rows of a part that a filter keeps, as a part of its own, which lives and is merged with it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bigviz.common.workers import Crew
from bigviz.tiles.morton.verified_array import Checked
from bigviz.tiles.segments.growing_mask import KeptRows
from bigviz.tiles.segments.part_layer import PartColumn
from bigviz.tiles.segments.row_part import RowPart, picked_rows

__all__ = ["filter_key", "filtered_part", "parts_within"]


def filter_key(text: str) -> Hashable:
    """By what a part knows the rows that a filter keeps."""
    return (("filter", text),)


def parts_within(part: RowPart) -> list[RowPart]:
    """A part, and what filters keep of it."""
    return [part, *(each for each in tuple(part.layers.values()) if isinstance(each, RowPart))]


def filtered_part(part: RowPart, text: str, kept: KeptRows, names: Sequence[str], crew: Crew) -> RowPart:
    """What a filter keeps of a part, there or made: in its order, so nothing is sorted. Of its columns these are taken
    along, if they are there. Raises Cancelled."""
    key = filter_key(text)
    found: RowPart | None = part.layers.get(key)
    if found is None:
        found, near, far = picked_rows(part, part.first, part.stop, kept.at, crew)
        for name in names:
            column: PartColumn | None = part.layers.get(name)
            if column is not None:
                found.layers[name] = PartColumn(
                    Checked(column.values.array[near]),
                    None if column.valid is None else Checked(column.valid.array[near]),
                    column.far[far],
                    None if column.far_valid is None else column.far_valid[far],
                    column.low,
                    column.high,
                )
        part.layers[key] = found
    return found
