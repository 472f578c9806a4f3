"""A series on the disk: mapped, verified page by page where it is read here and there, whole where it is small."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Unreadable
from bigviz.common.memory import available_memory
from bigviz.common.workers import SLICE, Crew, slices
from bigviz.common.xxh64 import checksum
from bigviz.data.columns.column import widen
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.grid.survey import Extent, Far, Survey, survey_pairs
from bigviz.tiles.series.series import NOWHERE, Series, Tree, tree_starts
from bigviz.tiles.series.sorted_numbers import Ascending, Regular, ascending, ruled
from bigviz.tiles.store.files.column_file import map_column
from bigviz.tiles.store.files.paged_file import Pages, open_paged
from bigviz.tiles.store.files.survey_json import survey_facts, survey_of

__all__ = ["open_parts", "open_series", "rule_facts", "survey_series"]

Array = npt.NDArray[Any]

_SHARE: Final = 3  # of free memory: a larger file is not read ahead
_UINT32, _INT64 = np.dtype(np.uint32), np.dtype(np.int64)


def open_series(folder: Path, facts: Mapping[str, Any]) -> tuple[Series, Survey]:
    """The series of a folder and what is known of its rows, from what `seriesbuild.write_series` returned.

    Maps the files; reads the tree once, to verify it (80 MB for 10^9 float32 rows). Raises Unreadable for what is
    damaged, later on when a damaged page is first used.
    """
    try:
        series = open_parts(folder, facts)
        _read_ahead(series)
        return series, survey_of(facts["survey"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Unreadable(f"{folder} is damaged: {type(error).__name__}: {error}.", got=str(folder)) from error


def open_parts(folder: Path, facts: Mapping[str, Any]) -> Series:
    """The series alone, from the facts without the survey."""
    size, edges = int(facts["size"]), int(facts["edges"])
    x_type, y_type = np.dtype(facts["x"]), np.dtype(facts["y"])
    y = open_paged(folder / "y.arrow", y_type)
    rows = open_paged(folder / "rows.arrow", _UINT32) if facts["numbered"] else None

    def whole(name: str, dtype: np.dtype[Any]) -> Array:
        path = folder / f"{name}.arrow"
        values = map_column(path, dtype)
        if checksum(values) != int(facts["sums"][name], 16):
            raise Unreadable(f"{path} is damaged: its checksum is another.", got=str(path))
        return values

    def sorted_column(name: str, fences: str, dtype: np.dtype[Any], key: Hashable = None) -> Ascending:
        pages = open_paged(folder / f"{name}.arrow", dtype)
        return ascending(pages.array, pages, whole(fences, dtype), key)

    if facts["rule"] is None:
        x = sorted_column("x", "x-fences", x_type, (facts["x_sum"], size, x_type))
        tree_x = whole("tree-x", x_type).reshape(-1, 2)
    else:
        x, tree_x = ruled(_rule_of(facts["rule"], x_type), size), np.empty((0, 2), x_type)
    gaps = sorted_column("gaps", "gap-fences", _INT64) if edges else ascending(np.empty(0, np.int64))
    values, places = whole("tree", y_type).reshape(-1, 2), whole("tree-places", _UINT32).reshape(-1, 2)
    starts = tree_starts(size)
    lengths = len(x), len(y.array), len(gaps), len(values), len(places)
    if lengths != (size, size, edges, starts[-1], starts[-1]) or (rows is not None and len(rows.array) != size):
        raise Unreadable(f"The files of {folder} are not of one length.", got=str(folder))
    tree = Tree(values, places, tree_x, starts)
    return Series(x, y.array, gaps, None if rows is None else rows.array, tree, bool(facts["sorted"]), y, rows)


def _read_ahead(series: Series) -> None:
    """Verify the files before they are needed, if memory is likely to hold them."""
    for check in (series.check_y, series.gaps.check, series.x.check, series.check_rows):
        if isinstance(check, Pages) and check.array.nbytes < available_memory() // _SHARE:
            check.read_ahead()


def rule_facts(rule: Regular | None) -> list[str] | None:
    """A rule as JSON: start, step and divisor, floats in hexadecimal."""
    if rule is None:
        return None
    return [each.hex() if isinstance(each, float) else str(each) for each in (rule.start, rule.step, rule.over)]


def _rule_of(facts: list[str], dtype: np.dtype[Any]) -> Regular:
    start, step, over = facts
    read = float.fromhex if dtype.kind == "f" else int
    return Regular(read(start), read(step), float.fromhex(over), dtype)


@dataclass(frozen=True)
class _Ordered:
    """The rows of a series, for `root.survey_pairs`; `rows` counts those of the table."""

    series: Series
    rows: int
    fixed_roots: tuple[Root | None, Root | None]

    @property
    def pieces(self) -> list[tuple[int, int]]:
        return [(start, stop - start) for start, stop in slices(len(self.series), SLICE)]

    def read(self, piece: int, cancel: Cancel) -> Iterator[Batch]:
        cancel.check()
        first, count = self.pieces[piece]
        y, known = self.series.heights(first, first + count)
        yield Batch(first, (self.series.x.slice(first, first + count), None), (widen(y), known))


def survey_series(series: Series, missing: int, pairs: Streamed, far: Far, crew: Crew) -> dict[str, Any]:
    """The roots and extremes of the rows of `pairs`, whose series this is with `missing` positions without y, as JSON;
    its tree spares reading them all."""
    ordered = _Ordered(series, pairs.rows, pairs.fixed_roots)
    found = survey_pairs(ordered, far, crew, _extent(series, missing))
    return survey_facts(found)


def _extent(series: Series, missing: int) -> Extent:
    """How many rows have both numbers, and their extremes."""
    if missing == len(series):
        return Extent()
    first, last = 0, len(series) - 1
    if len(series.gaps):
        edges = series.gaps.at(np.array([0, 1, len(series.gaps) - 2, len(series.gaps) - 1])).tolist()
        first = edges[1] if edges[0] == 0 else first
        last = edges[2] - 1 if edges[3] == len(series) else last
    ends = series.x.at(np.array([first, last]))
    tree = series.tree
    top = slice(tree.starts[-2], tree.starts[-1])
    held = tree.places[top, 0] != NOWHERE
    values = tree.values[top][held]
    return Extent(
        len(series) - missing,
        (ends[0].item(), values[:, 0].min().item()),
        (ends[1].item(), values[:, 1].max().item()),
    )
