"""A control as the caller described it: `controls` makes it, a layout holds it, layers refer to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Control"]


@dataclass(eq=False)
class Control:
    """Made by `bigviz.select` and the others. `id` names it in filters, in addresses and in callbacks; None is given
    one in the document. `source` is the table that it is about and `figure` the figure, where there is one."""

    type: str
    id: str | None
    settings: dict[str, Any] = field(default_factory=dict)
    source: object = None
    figure: object = None
