"""The drawn cells of a level in each part of a version, kept by part. Those of a part that was merged from known ones
are merged from theirs, and no row is looked at."""

from __future__ import annotations

from bigviz.common.cancel import Cancel
from bigviz.render.level_values import Level
from bigviz.tiles.segments.joined.drawn_level import most_kept
from bigviz.tiles.segments.joined.drawn_part import DrawnPart, drawn_part, put_together
from bigviz.tiles.segments.joined.version_rows import VersionRows
from bigviz.tiles.segments.part_layer import PartLayer
from bigviz.tiles.segments.row_part import Roots

__all__ = ["DrawnParts"]


class DrawnParts:
    """Those of one level. Not safe to use from several threads."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[PartLayer, DrawnPart]] = {}
        self._roots: Roots | None = None
        self._corrected = 0
        self.are_whole = False
        """Whether all parts of a version were looked at: not where that was given up."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(drawn.nbytes for _, drawn in list(self._held.values()))

    def of(self, rows: VersionRows, level: Level, floor: int, cancel: Cancel) -> list[DrawnPart]:
        """The cells with so many zeros or more of each part of a version, and with more where they are too many. Raises
        Cancelled."""
        self.are_whole = False
        if self._roots != rows.roots:
            self._held, self._roots = {}, rows.roots
        before, most = dict(self._held), most_kept(rows.inputs)
        floor = max([floor, *(drawn.floor for part, drawn in before.values() if part in rows.parts)])
        merges = self._corrected == rows.corrected
        found: dict[int, tuple[PartLayer, DrawnPart]] = {}
        for part in sorted(rows.parts, key=lambda each: -len(each.part)):
            _, drawn = before.get(id(part), (part, None))
            if drawn is None and merges:
                drawn = _merged(part, [*before.values()], floor, most, cancel)
            if drawn is None:
                drawn = drawn_part(part, rows.roots, level, floor, most, cancel)
            floor = max(floor, drawn.floor)
            found[id(part)] = self._held[id(part)] = part, drawn
        self._held = {id(part): (part, found[id(part)][1].risen(floor)) for part in rows.parts}
        self._corrected, self.are_whole = rows.corrected, True
        return [drawn for _, drawn in self._held.values()]


def _merged(
    part: PartLayer, before: list[tuple[PartLayer, DrawnPart]], floor: int, most: int, cancel: Cancel
) -> DrawnPart | None:
    """A part's cells as those of the parts whose rows it has; None where these are not known."""
    first, stop = part.part.first, part.part.stop
    some = [each for each in before if first <= each[0].part.first and each[0].part.stop <= stop]
    some.sort(key=lambda each: each[0].part.first)
    ends = [(each.part.first, each.part.stop) for each, _ in some]
    if not ends or [first, *(end for _, end in ends)] != [*(begin for begin, _ in ends), stop]:
        return None
    return put_together([drawn for _, drawn in some], part.inputs, floor, most, cancel)
