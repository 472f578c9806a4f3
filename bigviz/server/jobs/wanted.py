"""What one layer of a view, or a request, wants: tiles, a window of rows, or a line's columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = [
    "ColumnsWant",
    "Held",
    "LayerHeld",
    "LayerWants",
    "Place",
    "Roots",
    "RowsWanted",
    "TileWant",
    "Wanted",
    "WindowWant",
]

Place = tuple[int, int, int, int]  # zx, zy, i, j of a tile
Roots = tuple[tuple[str, int], tuple[str, int]]  # start and exponent, on x and on y


@dataclass(frozen=True)
class TileWant:
    """One tile."""

    place: Place


@dataclass(frozen=True)
class WindowWant:
    """What a view shows of a layer, and its size in device pixels; the ends are still as they came.

    It is answered where its rows are few, or where it is deeper than tiles; elsewhere tiles are the answer.
    """

    ends: tuple[Any, Any, Any, Any]  # x0, x1, y0, y1
    width: int
    height: int


@dataclass(frozen=True)
class ColumnsWant:
    """A line over a window of x; the ends are still as they came, since the axis says how to read them."""

    x0: Any
    x1: Any
    width: int


Wanted = TileWant | WindowWant | ColumnsWant


@dataclass(frozen=True)
class LayerWants:
    """One layer's share of a view: a line's `columns`, or the `tiles` of points and the `window` that they show.

    `prefetch` are tiles that may be wanted next. `roots` are the provisional ones that tiles are numbered in; None: the
    final ones.
    """

    layer: int
    definition: Any
    tiles: tuple[Place, ...] = ()
    prefetch: tuple[Place, ...] = ()
    roots: Roots | None = None
    window: WindowWant | None = None
    columns: ColumnsWant | None = None


@dataclass(frozen=True)
class Held:
    """What a page has of a layer whose data grow: a line's `columns`, or the `tiles` in view, others that it has
    `kept`, and the `window` if its rows, or an image, are drawn in place of tiles."""

    tiles: tuple[Place, ...] = ()
    kept: tuple[Place, ...] = ()
    window: WindowWant | None = None
    columns: ColumnsWant | None = None


@dataclass(frozen=True)
class LayerHeld:
    """One layer that follows its data."""

    layer: int
    definition: Any
    held: Held


@dataclass(frozen=True)
class RowsWanted:
    """`limit` rows of a window (x0, x1, y0, y1): in the order of the store or by a column (`order`: its name, and
    whether the greatest come first), with these columns (None: those of the layer)."""

    window: tuple[int | float, int | float, int | float, int | float]
    limit: int
    order: tuple[str, bool] | None = None
    columns: tuple[str, ...] | None = None
    kind: Literal["arrow", "json"] = "arrow"
