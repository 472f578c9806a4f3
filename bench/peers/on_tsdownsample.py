# /// script
# dependencies = ["tsdownsample==0.1.5.1", "pyarrow==26.0.1", "numpy==2.4.6"]
# ///
"""tsdownsample: M4 by a pass over the values of the window, which its callers slice out; 2 threads."""

import os

os.environ["TSDOWNSAMPLE_MAX_THREADS"] = "2"

import numpy as np
from loop import Answer, read, serve, timed
from tsdownsample import M4Downsampler

y = None


def load(path: str, columns: list[str]) -> Answer:
    """The last column in memory; x is regular, so a row is its place."""
    global y
    seconds, y = timed(lambda: read(path, columns[-1:]).column(0).combine_chunks().to_numpy())
    return Answer(seconds)


def line(x0: int, x1: int, width: int) -> Answer:
    """Lowest and highest value of each of `width` columns of the rows from x0 up to but without x1: (2, width)."""
    window = y[x0:x1]
    seconds, rows = timed(lambda: M4Downsampler().downsample(window, n_out=4 * width, parallel=True))
    values = window[rows].reshape(width, 4)
    return Answer(seconds, np.stack([values.min(axis=1), values.max(axis=1)]), {"rows": len(rows)})


serve(load, line)
