"""A worker's side: what its rows have in the bins of a histogram, or of each label, and which rows these are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.bars.bars_by_label import BarLayer, labels_of, summed
from bigviz.tiles.bars.bin_edges import Edges
from bigviz.tiles.bars.histogram import HistogramLayer
from bigviz.tiles.cluster.messages import Answer, numbered, packed
from bigviz.tiles.cluster.question import Question
from bigviz.tiles.engine import Engine

__all__ = ["PartBars"]

Array = npt.NDArray[Any]


class PartBars:
    """Safe to use from any number of threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def questions(self) -> dict[str, Callable[[Question], Answer]]:
        """What is answered here, by the names of questions."""
        return {"bin_counts": self._bins, "label_bars": self._labels, "bar_rows": self._rows}

    def _bins(self, asked: Question) -> Answer:
        """The numbers of rows in the bins of a histogram, and what its reduction has of them."""
        head, part = asked.head, asked.part
        edges = Edges(np.array(head["edges"], head["dtype"]), head["first"], head["closed"])
        with self._engine.answering(part, asked.layer, asked.crew.cancel) as built:
            assert isinstance(built, HistogramLayer)
            found = built.counted(edges, asked.crew.cancel)
        planes = () if found.planes is None else numbered(built.layer.reduction, found.planes, part.offset)
        facts, bodies = packed([found.numbers, *planes])
        return Answer({"arrays": facts, "rows": found.looked}, bodies)

    def _labels(self, asked: Question) -> Answer:
        """What there is of each label, by one pass over the rows."""
        part, layer = asked.part, asked.layer.bound(asked.part)
        found = summed(part, layer, *labels_of(part, layer, asked.crew), asked.crew)
        facts, bodies = packed([found.seen, found.counts, *numbered(layer.reduction, found.planes, part.offset)])
        return Answer({"arrays": facts}, bodies)

    def _rows(self, asked: Question) -> Answer:
        """The first rows of the bars in a window, in the order of the file, and how many there are."""
        head, part, cancel = asked.head, asked.part, asked.crew.cancel
        found, matched = [np.empty(0, np.int64)], 0
        with self._engine.answering(part, asked.layer, cancel) as built:
            assert isinstance(built, BarLayer)
            for rows in built.numbers_in(part, asked.layer, tuple(head["x"]), cancel):
                found.append(rows[: max(head["limit"] - matched, 0)] + part.offset)
                matched += len(rows)
        facts, bodies = packed([np.concatenate(found)])
        return Answer({"arrays": facts, "matched": matched}, bodies)
