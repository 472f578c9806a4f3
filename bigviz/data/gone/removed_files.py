"""The numbers of rows whose files are about to be removed.

They are looked at only then, once, a file at a time: rolling over itself costs nothing, and until a file is removed its
rows can be read, after a start too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa

from bigviz.common.errors import Unreadable
from bigviz.data.appending.log_file import LogFile
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.gone.measured import measured_columns
from bigviz.data.patches.corrections import Corrections
from bigviz.data.sources.memory import MemorySource

__all__ = ["numbers_of"]

_log = logging.getLogger("bigviz")

_PIECE: Final = 32 << 20  # bytes of batches that are in memory at a time


def numbers_of(files: Sequence[LogFile], schema: pa.Schema, corrections: Corrections) -> dict[str, Magnitudes]:
    """The axis numbers of all rows of some files, by column, with the values that patches have put in their place.

    What is damaged is left out, and logged: it must not keep rows on the disk that nobody reads any more.
    """
    found: dict[str, Magnitudes] = {}
    for file in files:
        try:
            for first, table in _pieces(file, schema):
                arrays = [
                    corrections.applied(name, first, column.combine_chunks())
                    for name, column in zip(table.column_names, table.columns, strict=True)
                ]
                rows = pa.Table.from_arrays(arrays, schema=schema)
                found = Magnitudes.joined(found, measured_columns(MemorySource(rows)))
        except (Unreadable, pa.ArrowException) as error:
            _log.warning("axes will not hold all rows of %s, which were rolled over: %s", file.path, error)
    return found


def _pieces(file: LogFile, schema: pa.Schema) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a file, each with the number of the first."""
    batches, pending, size, start = file.batches, list[pa.RecordBatch](), 0, 0
    for number in range(len(batches.at)):
        pending += [pa.ipc.read_record_batch(each, schema) for each in batches.payloads(number, number + 1)]
        size += batches.size[number]
        if size >= _PIECE or number == len(batches.at) - 1:
            yield batches.first_of(start), pa.Table.from_batches(pending, schema)
            pending, size, start = [], 0, number + 1
