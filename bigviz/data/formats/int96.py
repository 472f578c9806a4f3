"""Parquet's old 96-bit time stamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bigviz.data.columns.arrow_arrays import fixed_view, from_bools

__all__ = ["read_int96"]


def read_int96(fine: Iterable[pa.Array], coarse: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """Stamps in nanoseconds, null where they do not fit into int64.

    pyarrow converts INT96 to nanoseconds modulo 2^64, so 9999-12-31, the favourite end of time of older Spark jobs,
    would become 1816. The same values read in milliseconds (`coarse`) do not wrap and tell which are right.
    """
    for exact, rough in zip(fine, coarse, strict=True):
        nanoseconds = fixed_view(exact, np.dtype(np.int64))
        milliseconds = fixed_view(rough, np.dtype(np.int64))
        same = nanoseconds // 1_000_000 == milliseconds
        if same.all():
            yield exact
        else:
            yield pc.if_else(from_bools(same), exact, pa.scalar(None, exact.type))
