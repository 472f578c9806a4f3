"""Blocks of rows are counted for a brush in the background: see `targets.counted_blocks`."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import Final

from bigviz.common.cancel import Cancel
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew, step_back
from bigviz.tiles.brush.brush import MovingBrush
from bigviz.tiles.brush.linked import Source, Step, Target
from bigviz.tiles.brush.prepare import source_key
from bigviz.tiles.brush.prepared import Prepared
from bigviz.tiles.brush.targets.counted_blocks import NO_BLOCKS, CountedBlocks
from bigviz.tiles.brush.targets.grid_target import GridTarget

__all__ = ["BlockCounting"]

_MANY: Final = 1 << 20  # rows of a step, from which on blocks are counted for the next ones
_ROW_BYTES: Final = 1  # that blocks take, about


class BlockCounting:
    """Begins once a step has had many rows. Of all brushes one is counted for at a time, after all else."""

    def __init__(self, source: Source, prepared: Prepared) -> None:
        self._source, self._prepared = source, prepared
        self._cancel: Cancel | None = None
        self._lock = threading.Lock()

    def after(self, step: Step, brush: MovingBrush) -> None:
        """A step of a brush was taken."""
        if step.cost.rows < _MANY or not brush.uncounted():
            return
        with self._lock:
            works = self._cancel is not None and not self._cancel.cancelled
            if not works and not self._prepared.crew.cancel.cancelled:
                self._cancel = cancel = Cancel()
                self._prepared.behind.blocks.begin(partial(self._behind, brush, cancel), cancel.cancel)

    def stop(self) -> None:
        """Targets are shown otherwise, or the brush is over."""
        with self._lock:
            if self._cancel is not None:
                self._cancel.cancel()

    def count(self, brush: MovingBrush, cancel: Cancel) -> None:
        """Count the blocks of a brush's targets now. Raises Cancelled."""
        while found := brush.uncounted():
            for target, grid in found:
                grid.counted = self._counted(target, grid, cancel)

    def _behind(self, brush: MovingBrush, cancel: Cancel) -> None:
        try:
            cancel.check()
            self.count(brush, cancel)
        finally:
            with self._lock:
                if self._cancel is cancel:
                    self._cancel = None

    def _counted(self, target: Target, grid: GridTarget, cancel: Cancel) -> CountedBlocks:
        """The blocks of a target, of which there are none where memory has no room for them."""
        rows = self._prepared.rows

        def make(crew: Crew) -> CountedBlocks:
            step_back()  # it is a thread of its own
            return grid.blocks_of(rows, replace(crew, threads=1))

        prepared = replace(self._prepared, crew=replace(self._prepared.crew, cancel=cancel))
        try:
            found: CountedBlocks = prepared.keep((source_key(self._source), ("counted", target)), _ROW_BYTES, make)
        except (TooLarge, MemoryError):
            return NO_BLOCKS
        return found
