"""Decimals to float64, rounded half to even."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

__all__ = ["decimals"]


def decimals(array: pa.Array, out: np.ndarray) -> None:
    """Write the float64 nearest to each decimal into `out` (ties to even); rows under nulls are left undefined."""
    texts = array.cast(pa.string())
    out[:] = texts.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
