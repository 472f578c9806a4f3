"""The bars of a histogram's windows, wherever its rows are."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from bigviz.common.cancel import NEVER, Cancel
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.bars.bin_edges import BinRule, Edges
from bigviz.tiles.bars.no_tiles import NoTiles
from bigviz.tiles.grid.window import Number, check_window

__all__ = ["Binned"]


class Binned(NoTiles):
    """A histogram says where its bins lie and counts those of some edges."""

    @cached_property
    def rule(self) -> BinRule | None:
        """Where the bins lie; None without rows."""
        raise NotImplementedError

    def _bars(self, edges: Edges, cancel: Cancel) -> Bars:
        raise NotImplementedError

    @cached_property
    def whole(self) -> Bars:
        """The bars of all of the range."""
        if self.rule is None:
            return self._bars(Edges(np.empty(0, np.float64), 0, False), NEVER)
        return self._bars(self.rule.edges(self.rule.low, self.rule.high), NEVER)

    def bars(self, low: Number, high: Number, cancel: Cancel = NEVER) -> Bars:
        """The bars that a window of x meets."""
        cancel.check()
        check_window(low, high, "x")
        if self.rule is None:
            return self.whole
        edges = self.rule.edges(low, high)
        same = np.array_equal(edges.values, self.whole.edges)
        return self.whole if same else self._bars(edges, cancel)
