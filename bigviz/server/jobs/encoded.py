"""A result laid out for the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigviz.wire import frames

if TYPE_CHECKING:
    from bigviz.tiles.answers.answer import Cost

__all__ = ["Prepared"]


@dataclass(frozen=True)
class Prepared:
    """A result laid out for the wire, shared by all viewers that wait for it."""

    kind: frames.Type
    parts: list[frames.Part]
    cost: Cost
