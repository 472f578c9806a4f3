"""The script of `bigviz bench`: pans and zooms that stay where the data is and request what a page would lack.

Seeded: the same table and size give the same views. About half of the steps are pans by up to a third of the window,
the others zoom in or out by two about a filled cell of the view before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from bigviz.commands.bench.window import Axis, Place, Window, tiles
from bigviz.wire.codec import SIDE, EncodedPlane, decode
from bigviz.wire.tiles import TileMessage

__all__ = ["LineWalk", "TileWalk", "Walk", "walk_of"]

_PAD: Final = 0.02  # a page opens with this share of the range on each side
_PAN: Final = 0.33
_DEEPEST: Final = 14  # zooms from the whole range, if the root allows so many
_ROUND: Final = 100  # steps without anything to request, until what was seen may be requested again
_ATTEMPTS: Final = 10 * _ROUND

Point = tuple[float, float]


class Walk(Protocol):
    """What to ask for next, and what came."""

    def wanted(self) -> dict[str, Any]:
        """The next view's entry in `layers`."""
        ...

    def saw(self, answers: Sequence[TileMessage]) -> None:
        """The exact tiles of that view."""
        ...


def walk_of(layer: dict[str, str], info: dict[str, Any], seed: int = 0) -> Walk:
    """The walk over a layer, from its definition and the server's answer to `layer`."""
    x0, y0, x1, y1 = (float(each) for each in info["range"] or info["extent"])
    home = Window(*_padded(x0, x1), *_padded(y0, y1))
    if layer["glyph"] == "line":
        return LineWalk(layer, home, isinstance(info["extent"][0], str), seed)
    (xs, xe), (ys, ye) = (info["root"][axis] for axis in "xy")
    times = isinstance(info["extent"][0], str), isinstance(info["extent"][1], str)
    return TileWalk(layer, home, ((float(xs), int(xe)), (float(ys), int(ye))), times, seed)


def _padded(low: float, high: float) -> Point:
    pad = (high - low) * _PAD or 0.5
    return low - pad, high + pad


class TileWalk:
    """Over tiles, or their rows where those are few. Tiles that arrived are not requested again, as in a page.

    `times` says for x and for y whether it is sent as nanoseconds in text.
    """

    def __init__(
        self, layer: dict[str, str], home: Window, roots: tuple[Axis, Axis], times: tuple[bool, bool], seed: int
    ) -> None:
        self._layer = layer
        self._path = _Path(home, seed)
        self._roots = roots
        self._times = times
        self._had: set[Place] = set()

    def wanted(self) -> dict[str, Any]:
        missing: list[Place] = []
        for attempt in range(1, _ATTEMPTS):
            missing = [key for key in tiles(self._path.window, *self._roots) if key not in self._had]
            if missing:
                break
            if attempt % _ROUND == 0:
                self._had.clear()  # a small table: everything was seen
            self._path.step()
        return {"layer": 0, "definition": self._layer, "tiles": missing, "window": self._window()}

    def _window(self) -> dict[str, Any]:
        shown, (x, y) = self._path.window, self._times
        ends = {**_ends("x", shown.x0, shown.x1, x), **_ends("y", shown.y0, shown.y1, y)}
        return {**ends, "width": shown.width, "height": shown.height}

    def saw(self, answers: Sequence[TileMessage]) -> None:
        self._had.update((tile.zx, tile.zy, tile.i, tile.j) for tile in answers)
        filled = [tile for tile in answers if tile.planes[0].filled]
        filled.sort(key=lambda tile: (tile.i, tile.j))  # they come in any order
        if filled:
            self._path.about = self._filled_cell(filled[self._path.random.integers(len(filled))])
        self._path.step(deep=not answers)  # no tiles: the view was few enough rows

    def _filled_cell(self, tile: TileMessage) -> Point:
        """The middle of one filled cell of a tile, in axis space."""
        plane = tile.planes[0]
        fields = plane.codec, plane.dtype, plane.plane, plane.filled, plane.low, plane.high
        cells = np.flatnonzero(decode(EncodedPlane(*fields, plane.constant, plane.payload))[1])
        row, column = divmod(int(self._path.random.choice(cells)), SIDE)
        from_below = ((1 << tile.zy) - tile.j) * SIDE - row - 1
        (xs, xe), (ys, ye) = self._roots
        return (
            xs + (tile.i * SIDE + column + 0.5) * math.ldexp(1.0, xe - tile.zx - 8),
            ys + (from_below + 0.5) * math.ldexp(1.0, ye - tile.zy - 8),
        )


class LineWalk:
    """Over the columns of a line: windows of x only; `times` where x is sent as nanoseconds in text."""

    def __init__(self, layer: dict[str, str], home: Window, times: bool, seed: int) -> None:
        self._layer = layer
        self._home = home
        self._times = times
        self._path = _Path(home, seed)

    def wanted(self) -> dict[str, Any]:
        window = self._path.window
        columns = {**_ends("x", window.x0, window.x1, self._times), "width": window.width}
        return {"layer": 0, "definition": self._layer, "columns": columns}

    def saw(self, answers: Sequence[TileMessage]) -> None:
        self._path.about = float(self._path.random.uniform(self._home.x0, self._home.x1)), 0.0
        self._path.step()


def _ends(axis: str, low: float, high: float, times: bool) -> dict[str, Any]:
    """Both ends of a window as messages carry them."""
    ends = [str(int(end)) if times else end for end in (low, high)]
    return {f"{axis}0": ends[0], f"{axis}1": ends[1]}


class _Path:
    """Where the window is: at home again once it has zoomed out as much as it had zoomed in."""

    def __init__(self, home: Window, seed: int) -> None:
        self._home = self.window = home
        self._depth = 0
        self.random = np.random.default_rng(seed)
        self.about: Point = ((home.x0 + home.x1) / 2, (home.y0 + home.y1) / 2)

    def step(self, deep: bool = False) -> None:
        """A pan by up to a third of the window, or a zoom by two about `about`: outwards where it is `deep` enough."""
        if self._depth and self.random.random() < 0.5:
            right, up = self.random.uniform(-_PAN, _PAN, 2)
            self.window = self.window.moved(float(right), float(up))
            return
        inward = not self._depth or (not deep and self._depth < _DEEPEST and self.random.random() < 0.6)
        self._depth += 1 if inward else -1
        self.window = self.window.scaled(0.5 if inward else 2.0, *self.about) if self._depth else self._home
