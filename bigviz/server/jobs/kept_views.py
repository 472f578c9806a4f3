"""A cache of whole views: one look-up finds all cached answers of a view, where each would take one of its own."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from bigviz.common.byte_cache import ByteCache
from bigviz.wire.frames import Part, Type

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset
    from bigviz.server.jobs.encoded import Prepared
    from bigviz.server.jobs.wanted import LayerWants

__all__ = ["KeptView", "KeptViews", "key_of"]

_BYTES: Final = 32 << 20  # of answers, which are mostly those that are kept one by one
_BESIDES: Final = 2_000  # bytes of a key, and of what holds a view


@dataclass(frozen=True)
class KeptView:
    """The answers of a view in the order in which they are sent, each with the number of its layer in the figure, and
    what they have cost, `done`."""

    answers: tuple[tuple[int, Prepared], ...]
    done: Sequence[Part]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        parts = (part for _, answer in self.answers for part in answer.parts)
        return _BESIDES + sum(len(part.json) + len(part.body) for part in parts)

    @cached_property
    def tiles(self) -> int:
        """How many of the answers are tiles."""
        return sum(answer.kind == Type.TILE for _, answer in self.answers)


class KeptViews(ByteCache[KeptView]):
    """The views of 32 MiB that were asked for last, by the keys of their layers, which name the data's version."""

    def __init__(self) -> None:
        super().__init__(_BYTES)


def key_of(dataset: Dataset, layer: Layer, wanted: LayerWants, has_rows: bool) -> Hashable:
    """What the shares that two views have in a layer must have in common to be answered alike: ends of a window that
    are equal, but of other types, may not be."""
    window, columns = wanted.window, wanted.columns
    ends = () if window is None else window.ends
    ends += () if columns is None else (columns.x0, columns.x1)
    shown = wanted.layer, wanted.tiles, wanted.prefetch, wanted.roots, window, columns
    return dataset.fingerprint, dataset.version, layer, has_rows, shown, tuple(map(type, ends))
