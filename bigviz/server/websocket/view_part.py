"""One layer's share of a view: what it still waits for, best first."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bigviz.server.jobs.kept_views import key_of
from bigviz.server.jobs.wanted import ColumnsWant, LayerWants, Place, TileWant, Wanted, WindowWant

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset
    from bigviz.server.jobs.job_queue import Outcome

__all__ = ["ViewPart", "outwards"]


@dataclass(eq=False)
class ViewPart:
    """What a layer still waits for. `open` are the wants that were not answered exactly yet, best first, each with the
    age of the newest estimate that was sent (0: none); those in `later` may wait. While a window is among them it is
    not known whether its rows or its tiles are the answer: until then exact tiles are `held`."""

    wanted: LayerWants
    dataset: Dataset
    layer: Layer
    has_rows: bool = True  # whether the caller may read single rows
    open: dict[Wanted, int] = field(default_factory=dict)
    later: frozenset[Wanted] = frozenset()
    held: list[tuple[TileWant, Outcome]] = field(default_factory=list)
    scanning: Callable[[], None] | None = None  # ends the listening to the progress of a scan

    @property
    def of_tiles(self) -> bool:
        """Whether tiles (or the window that they show) are wanted, not columns."""
        return self.wanted.columns is None

    @property
    def window(self) -> WindowWant | None:
        """The window, while it is open."""
        window = self.wanted.window
        return window if window in self.open else None

    def without(self, age: int) -> list[TileWant | ColumnsWant]:
        """What is visible and has no estimate of that age or newer; a window has none."""
        return [
            want
            for want, sent in self.open.items()
            if sent < age and want not in self.later and not isinstance(want, WindowWant)
        ]

    @property
    def key(self) -> Hashable:
        """What it has in common with shares of other views that are answered alike."""
        return key_of(self.dataset, self.layer, self.wanted, self.has_rows)

    def begin(self) -> None:
        """Wait for everything that is wanted, best first."""
        wanted = self.wanted
        if wanted.columns is not None:
            self.open = {wanted.columns: 0}
            return
        visible = [TileWant(place) for place in outwards(wanted.tiles)]
        prefetched = [TileWant(place) for place in outwards(wanted.prefetch, wanted.tiles)]
        window = () if wanted.window is None or self.layer.glyph != "points" else (wanted.window,)
        self.open = dict.fromkeys((*window, *visible, *prefetched), 0)
        self.later = frozenset(prefetched) - frozenset(visible)


def outwards(places: tuple[Place, ...], about: tuple[Place, ...] | None = None) -> list[Place]:
    """Tiles by their distance from the middle of `about` (of themselves), nearest first, each level by itself."""
    found = about or places
    if not found:
        return []
    middle = {}
    for zx, zy in {(zx, zy) for zx, zy, _, _ in places}:
        # The middle of another level's tiles, in tiles of this one.
        xs = [(i + 0.5) * 2.0 ** (zx - x) for x, _, i, _ in found]
        ys = [(j + 0.5) * 2.0 ** (zy - y) for _, y, _, j in found]
        middle[zx, zy] = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)

    def distance(place: Place) -> float:
        zx, zy, i, j = place
        x, y = middle[zx, zy]
        return float(max(abs(i + 0.5 - x), abs(j + 0.5 - y)) + 1e-3 * (abs(i + 0.5 - x) + abs(j + 0.5 - y)))

    return sorted(places, key=distance)
