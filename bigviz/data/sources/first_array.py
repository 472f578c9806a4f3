"""The first rows of a column, without reading the others."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.progress import no_progress
from bigviz.data.columns.kinds import storage_type
from bigviz.data.sources.memory import MemorySource
from bigviz.data.sources.source import Source

__all__ = ["first_array"]

_HEAD: Final = 1 << 20


def first_array(source: Source, index: int, cancel: Cancel) -> pa.Array:
    """At most about a million values of a column, in its own type or as that type's dictionaries. Raises Unreadable and
    Cancelled."""
    field = source.schema.field(index)
    direct = source.direct(index)
    if direct is not None and len(direct):
        chunk = direct.slice(0, _HEAD).combine_chunks()
        source, index = MemorySource(pa.table([chunk], names=[field.name])), 0
    found: list[pa.Array] = []
    enough = Cancel()

    def sink(start: int, array: pa.Array) -> None:
        found.append(array)
        enough.cancel()

    with suppress(Cancelled):
        source.read(index, sink, no_progress, enough, np.zeros(1, np.int64))
    cancel.check()
    return found[0] if found else pa.nulls(0, storage_type(field.type))
