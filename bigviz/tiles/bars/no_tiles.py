"""What layers without cells answer: bars are asked for as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Drawn, Estimate
from bigviz.tiles.answers.shared_answers import TileColours
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number

__all__ = ["NoTiles"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]


class NoTiles(TileColours):
    """A part of `LayerAnswers`."""

    @property
    def is_scanned(self) -> bool:
        """False: what bars are made of is here."""
        return False

    @property
    def dense(self) -> None:
        """None: a first view shows all bars."""

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """Raises BadInput."""
        _refuse()

    def draw_all(self, keys: Sequence[TileKey], window: object, crew: Crew) -> list[Drawn]:
        """Raises BadInput."""
        _refuse()

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """Raises BadInput."""
        _refuse()

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """Raises BadInput."""
        _refuse()

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """None."""
        return None

    def columns(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> None:
        """None: they are a line's."""

    def knows(self, x: Window, y: Window) -> bool:
        """True: there are no marks, which takes no time to find."""
        return True

    def marks(self, x: Window, y: Window, most: int = 0, cancel: Cancel = NEVER) -> None:
        """None: rows are not drawn one by one."""

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> None:
        """None: bars are drawn from themselves at any depth."""


def _refuse() -> NoReturn:
    raise BadInput("A histogram and bars have no tiles and no image: ask for bars.arrow.", "glyph")
