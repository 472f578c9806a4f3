"""Which module writes which kind of store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.order.build import build_stored_order
from bigviz.tiles.store.series.build import write_series

__all__ = ["WRITERS", "Writer"]

Writer = Callable[[Path, Dataset, OrderSpec, Sequence[str], Crew], Mapping[str, Any]]
"""Writes a store of one kind into a folder that exists, or goes on with what it left there; what it returns is kept in
the manifest as facts."""

WRITERS: Final[Mapping[str, Writer]] = {"order": build_stored_order, "series": write_series}
