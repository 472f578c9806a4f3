"""Where viewers look: places about random rows, panned and zoomed there, each view with the tiles that a page lacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from bigviz.commands.bench.window import Axis, Place, Window, tiles

__all__ = ["home_view", "walk"]

_PAN: Final = 0.33  # of the window, at most
_STEPS: Final = 20  # at one place
_SHALLOWEST: Final = 1  # zooms by two from the whole range to a place
_DEEPEST: Final = 8
_ATTEMPTS: Final = 100  # steps at one place, those that lack no tile included

Point = tuple[float, float]


def home_view(definition: dict[str, str], home: Window, roots: tuple[Axis, Axis]) -> str:
    """The first view of a page, as a message without its id."""
    return _message(definition, home, tiles(home, *roots))


def walk(
    definition: dict[str, str], home: Window, roots: tuple[Axis, Axis], rows: Sequence[Point], views: int, seed: int
) -> list[str]:
    """So many views of one viewer, as messages without their ids. Half of the steps at a place are pans, the others
    zooms by two about its row; tiles that the viewer had at this place are not asked for again, and steps that lack
    none are left out. Seeded."""
    random, messages = np.random.default_rng(seed), list[str]()
    while len(messages) < views:
        about, had = rows[int(random.integers(len(rows)))], set[Place]()
        window = home.scaled(0.5 ** int(random.integers(_SHALLOWEST, _DEEPEST + 1)), *about)
        taken = 0
        for _ in range(_ATTEMPTS):
            missing = [key for key in tiles(window, *roots) if key not in had]
            if missing:
                messages.append(_message(definition, window, missing))
                had.update(missing)
                taken += 1
            if taken == _STEPS or len(messages) == views:
                break
            window = _stepped(random, window, about)
    return messages


def _stepped(random: np.random.Generator, window: Window, about: Point) -> Window:
    if random.random() < 0.5:
        right, up = random.uniform(-_PAN, _PAN, 2)
        return window.moved(float(right), float(up))
    return window.scaled(0.5 if random.random() < 0.5 else 2.0, *about)


def _message(definition: dict[str, str], window: Window, wanted: Sequence[Place]) -> str:
    shown: dict[str, Any] = {name: getattr(window, name) for name in ("x0", "x1", "y0", "y1", "width", "height")}
    layer = {"layer": 0, "definition": definition, "tiles": wanted, "window": shown}
    return json.dumps({"op": "view", "figure": 0, "layers": [layer]})
