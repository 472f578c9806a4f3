"""What answers the window of a view: its rows, an image deeper than the last level, or nothing: then its tiles do."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Final

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.data.dataset import Dataset
from bigviz.server.jobs.layer_ref import times_of
from bigviz.server.jobs.wanted import WindowWant
from bigviz.server.request_values import Number, window_of
from bigviz.tiles.grid.view_level import nominal_level
from bigviz.tiles.interface import Cost, Engine, Marks
from bigviz.wire import rows
from bigviz.wire.frames import MAX_LEVEL, Part, Type
from bigviz.wire.images import image_parts
from bigviz.wire.offsets import positions

if TYPE_CHECKING:
    from bigviz.tiles.interface import WindowImage

__all__ = ["Answer", "answer", "ends_of", "key_of", "marks_of", "picture", "rows_answer"]

Interval = tuple[Number, Number]
Answer = tuple[Type, list[Part], Cost]
_WIDEST_TIME: Final = (1 << 63) - 1
_MARGIN: Final = 0.5  # of the window on each side, for which rows are sent too
_MOST_BESIDES: Final = 10_000  # marks, the window's included: they weigh 400 KB, and are painted in a frame


def ends_of(dataset: Dataset, layer: Layer, wanted: WindowWant) -> tuple[Interval, Interval]:
    """The window's ends on x and on y. Raises BadInput."""
    given = dict(zip(("x0", "x1", "y0", "y1"), wanted.ends, strict=True))
    return window_of(given.get, times_of(dataset, layer))


def key_of(dataset: Dataset, layer: Layer, x: Interval, y: Interval, wanted: WindowWant) -> tuple[Hashable, ...]:
    """What two viewers must have in common to be answered alike."""
    return dataset.fingerprint, dataset.version, layer, ("window", x, y, wanted.width, wanted.height)


def answer(
    engine: Engine, dataset: Dataset, layer: Layer, x: Interval, y: Interval, size: tuple[int, int], cancel: Cancel
) -> Answer | None:
    """Rows where they are few enough, else an image where the view is deeper than tiles are; else None. Blocks."""
    found = marks_of(engine, dataset, layer, x, y, cancel)
    return picture(engine, dataset, layer, x, y, size, cancel) if found is None else rows_answer(*found)


def marks_of(
    engine: Engine, dataset: Dataset, layer: Layer, x: Interval, y: Interval, cancel: Cancel
) -> tuple[Marks, tuple[Interval, Interval] | None] | None:
    """The rows of a window where they are few enough, and the window that they are all rows of. Blocks.

    They are of more than was asked for if they stay few: of all of the root (then None is their window), or of a margin
    on each side too, so that the browser need not ask again for every step.
    """
    found = engine.marks(dataset, layer, x, y, cancel=cancel)
    if found is None:
        return None
    if len(found) > _MOST_BESIDES:
        return found, (x, y)
    most = _MOST_BESIDES
    x0, y0, x1, y1 = engine.info(dataset, layer).extent
    whole = None
    if x0 < x1 and y0 < y1 and engine.at_hand(dataset, layer, (x0, x1), (y0, y1)):
        whole = engine.marks(dataset, layer, (x0, x1), (y0, y1), most, cancel)
    if whole is not None:
        return whole, None
    times = times_of(dataset, layer)
    wide = _widened(x, times[0]), _widened(y, times[1])
    more = engine.marks(dataset, layer, *wide, most, cancel) if engine.at_hand(dataset, layer, *wide) else None
    return (found, (x, y)) if more is None else (more, wide)


def picture(
    engine: Engine, dataset: Dataset, layer: Layer, x: Interval, y: Interval, size: tuple[int, int], cancel: Cancel
) -> Answer | None:
    """An image where the view is deeper than tiles are, else None. Blocks."""
    roots = engine.info(dataset, layer)
    across = nominal_level(roots.root_x.exponent, *x, size[0])
    if max(across, nominal_level(roots.root_y.exponent, *y, size[1])) <= MAX_LEVEL:
        return None
    image = engine.window_image(dataset, layer, x, y, size, cancel)
    return None if image is None else _image(image, x, y)


def _widened(ends: Interval, time: bool) -> Interval:
    low, high = ends
    if isinstance(low, int) and isinstance(high, int):
        more = max(1, int((high - low) * _MARGIN))
        low, high = low - more, high + more
        return (max(low, -_WIDEST_TIME - 1), min(high, _WIDEST_TIME)) if time else (low, high)
    step = (high - low) * _MARGIN
    wide = low - step, high + step
    return wide if all(map(math.isfinite, wide)) else ends


def rows_answer(marks: Marks, window: tuple[Interval, Interval] | None) -> Answer:
    """The rows of a window (None: of all of the root), positions as offsets from an integer near them."""
    (xorigin, x), (yorigin, y) = positions(marks.x), positions(marks.y)
    info: dict[str, Any] = {
        "matched": marks.matched,
        "window": None if window is None else _ends(*window),
        "xorigin": str(xorigin),
        "yorigin": str(yorigin),
        **_costs(marks.cost),
    }
    parts = rows.rows_parts(info, x, y, marks.row, marks.number, marks.code, marks.value)
    return Type.ROWS, parts, marks.cost


def _image(image: WindowImage, x: Interval, y: Interval) -> Answer:
    info = {
        "window": _ends(x, y),
        "width": image.width,
        "height": image.height,
        "planes": image.planes_per_block,
        **_costs(image.cost),
    }
    return Type.IMAGE, image_parts(info, image.planes), image.cost


def _costs(cost: Cost) -> dict[str, int]:
    return {
        "queue_us": cost.queue_us,
        "kernel_us": cost.kernel_us,
        "encode_us": cost.encode_us,
        "rows": cost.rows,
        "bytes": cost.bytes,
    }


def _ends(x: Interval, y: Interval) -> list[Number | str]:
    return [str(end) if isinstance(end, int) else end for end in (*x, *y)]
