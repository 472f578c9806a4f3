"""What a page keeps of one layer: all of its rows, or as many levels of its tiles, or rows of its line, as fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress, no_progress
from bigviz.data.dataset import Dataset
from bigviz.export.html.blocks import Blocks, packed
from bigviz.server.jobs.encoded import bars_message, columns_message
from bigviz.server.jobs.window_jobs import rows_answer
from bigviz.tiles.interface import Engine, LayerInfo
from bigviz.wire.frames import Part, Type, frames

__all__ = ["Kept", "KeptBars", "KeptLine", "KeptRows", "Subject"]

_COLUMNS: Final = 256  # of a line at level 0, as many as a tile has


@dataclass(frozen=True)
class Subject:
    """A layer of a document, by the number of its figure and its own in that, the title of the figure ("" for none),
    and what answers for the layer."""

    figure: int
    number: int
    title: str
    dataset: Dataset
    layer: Layer
    info: LayerInfo
    engine: Engine
    cancel: Cancel
    progress: Progress = no_progress

    def framed(self, kind: Type, parts: Iterable[Part]) -> list[bytes]:
        """Frames of a message about it; the page numbers them."""
        return frames(kind, list(parts), sequence=1, epoch=1, figure=self.figure, layer=self.number)

    @property
    def name(self) -> str:
        """For people."""
        name = f"{self.layer.y or self.layer.reduction} over {self.layer.x}"
        return f"{self.title}: {name}" if self.title else name


class Kept(Protocol):
    """What a page keeps of a layer. It grows from level 0 on, until it does not fit, or is all."""

    def grow(self, level: int, room: int) -> int | None:
        """Take in a level: the characters that this adds. None, and nothing is taken in, where they are more than
        `room`, or where there is nothing to add."""

    def entry(self, blocks: Blocks) -> dict[str, Any]:
        """Put it into a page's blocks: what the page's index says of it."""

    def inside(self) -> dict[str, Any]:
        """What the answer about the layer says is in the file (`Inside` of static/wire/frames.js)."""

    def words(self) -> str:
        """How much it is."""


class KeptRows:
    """All rows, where they lie on at most 50,000 coordinates."""

    def __init__(self, texts: list[str], rows: int) -> None:
        self._texts = texts
        self._rows = rows

    @classmethod
    def of(cls, subject: Subject) -> KeptRows | None:
        """None for a line, and where there are too many."""
        x0, y0, x1, y1 = subject.info.extent
        if not (x0 < x1 and y0 < y1):
            return None
        found = subject.engine.marks(subject.dataset, subject.layer, (x0, x1), (y0, y1), cancel=subject.cancel)
        if found is None:
            return None
        kind, parts, _ = rows_answer(found, None)
        return cls([packed([frame]) for frame in subject.framed(kind, parts)], found.matched)

    def grow(self, level: int, room: int) -> int | None:
        """All of them with level 0, whatever they take: at most some megabytes."""
        return sum(map(len, self._texts)) if level == 0 else None

    def entry(self, blocks: Blocks) -> dict[str, Any]:
        return {"rows": [blocks.add(text) for text in self._texts]}

    def inside(self) -> dict[str, Any]:
        return {}

    def words(self) -> str:
        return f"all {self._rows:,} rows"


class KeptBars:
    """The bars that a page shows first; where it is zoomed, bins stay as they are."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._texts: list[str] = []
        self._step: float | None = None

    def grow(self, level: int, room: int) -> int | None:
        """All of them with level 0, whatever they take."""
        if level > 0:
            return None
        subject, info = self._subject, self._subject.info
        low, high = (info.extent if info.range is None or info.range[0] == info.range[2] else info.range)[::2]
        found = subject.engine.bars(subject.dataset, subject.layer, low, high, subject.cancel)
        message = bars_message(found, (low, high), 1)
        self._texts = [packed([frame]) for frame in subject.framed(message.kind, message.parts)]
        if found.names is None and found.bins:
            self._step = float(high - low) / found.bins
        return sum(map(len, self._texts))

    def entry(self, blocks: Blocks) -> dict[str, Any]:
        return {"bars": [blocks.add(text) for text in self._texts]}

    def inside(self) -> dict[str, Any]:
        return {} if self._step is None else {"bin": self._step}

    def words(self) -> str:
        return "all bars" if self._step is None else "the bins of the first view"


class KeptLine:
    """The rows that draw a line at a width in columns, which doubles from level to level until these are all rows."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._texts: list[str] = []
        self._step: float | None = None
        self._rows = 0

    def grow(self, level: int, room: int) -> int | None:
        """The rows of 256 2^level columns, in the place of those before; level 0 whatever it takes."""
        subject, info = self._subject, self._subject.info
        if level > 0 and self._step is None:
            return None
        low, high = (info.extent if info.range is None or info.range[0] == info.range[2] else info.range)[::2]
        width = _COLUMNS << level
        found = subject.engine.columns(subject.dataset, subject.layer, low, high, width, subject.cancel)
        drawn = int(((found.column >= 0) & (found.column < width)).sum())
        message = columns_message(found, (low, high), width)
        texts = [packed([frame]) for frame in subject.framed(message.kind, message.parts)]
        subject.progress(f"level {level} of {subject.name}", 1.0, drawn)
        more = sum(map(len, texts)) - sum(map(len, self._texts))
        if level > 0 and more > room:
            return None
        whole = drawn >= min(info.rows - info.rows_outside - info.rows_far, info.rows_kept)
        self._texts, self._rows = texts, drawn
        self._step = None if whole else float(high - low) / width
        return more

    def entry(self, blocks: Blocks) -> dict[str, Any]:
        return {"line": [blocks.add(text) for text in self._texts]}

    def inside(self) -> dict[str, Any]:
        return {"step": self._step}

    def words(self) -> str:
        if self._step is None:
            return f"all {self._rows:,} rows of the line"
        return f"{self._rows:,} of {self._subject.info.rows:,} rows of the line"
