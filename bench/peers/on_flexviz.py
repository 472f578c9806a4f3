# /// script
# dependencies = ["flexviz==0.1.0b5", "flexviz-polars==0.1.0b3", "polars==1.44.2", "pyarrow==26.0.1", "numpy==2.4.6"]
# ///
"""FlexViz: the kernel that its line charts call, lowest and highest row a column, over polars columns in memory."""

import numpy as np
import polars as pl
from flexviz_polars import _minmax_pairs_line
from loop import Answer, read, serve, timed

frame = None


def load(path: str, columns: list[str]) -> Answer:
    """x and y as a polars frame in memory."""
    global frame
    seconds, frame = timed(lambda: pl.from_arrow(read(path, columns)).rechunk())
    return Answer(seconds)


def line(x0: int, x1: int, width: int) -> Answer:
    """Lowest and highest value of each of `width` columns of x from x0 up to but without x1: (2, width)."""
    domain = (x0, x1)
    pairs = _minmax_pairs_line(pl.col("x"), pl.col("y"), width, domain)
    seconds, found = timed(lambda: frame.lazy().select(pairs).collect())
    _, lowest, _, highest = found.to_series(0).struct.unnest()
    return Answer(seconds, np.stack([lowest, highest]), {"rows": 2 * len(lowest)})


serve(load, line)
