"""What an order or a series on disk is an order of: its columns, axis spaces and root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["OrderSpec"]

Kind = Literal["order", "series"]


@dataclass(frozen=True)
class OrderSpec:
    """The rows of two columns, in Morton order (`kind` "order") or in x order with their tree ("series").

    Axis spaces are those of `aggregate.spaces.KINDS`; `root` is "default" (without far rows) or "full".
    """

    x: str
    y: str
    xaxis: str = "linear"
    yaxis: str = "linear"
    root: str = "default"
    kind: Kind = "order"
