# /// script
# dependencies = [
#   "datashader==0.19.1", "dask==2026.8.0", "pandas==3.1.1", "pyarrow==26.0.1", "numba==0.68.1", "numpy==2.4.6",
# ]
# ///
"""datashader: one pass over the columns for each image; pandas in memory, or dask over mapped chunks on 2 threads."""

import dask
import dask.dataframe as dd
import datashader as ds
import pandas as pd
from loop import Answer, read, serve, timed

CHUNK = 16  # record batches (of 2^20 rows) a dask partition
frame = None


def load(path: str, columns: list[str], dask_threads: int = 0) -> Answer:
    """Columns as a frame: float32 x and y, `kind` as a categorical."""
    global frame

    def work():
        table = read(path, columns)
        if not dask_threads:
            return table.combine_chunks().to_pandas()
        dask.config.set(scheduler="threads", num_workers=dask_threads)
        batches = table.to_batches()
        pieces = [batches[k : k + CHUNK] for k in range(0, len(batches), CHUNK)]
        return dd.from_map(_partition, pieces)

    seconds, frame = timed(work)
    return Answer(seconds)


def _partition(batches) -> pd.DataFrame:
    names = batches[0].schema.names
    return pd.concat([pd.DataFrame({n: b.column(n).to_numpy() for n in names}, copy=False) for b in batches])


def view(
    window: list[float], width: int, height: int, agg: str = "count", column: str = "", log: bool = False
) -> Answer:
    """An image of the window, closed at its upper ends: row 0 the lowest y; categories by label."""
    x0, x1, y0, y1 = window
    kind = "log" if log else "linear"
    reduction = {"count": ds.count(), "mean": ds.mean(column), "by": ds.by(column, ds.count())}[agg]
    canvas = ds.Canvas(width, height, (x0, x1), (y0, y1), x_axis_type=kind, y_axis_type=kind)
    seconds, image = timed(lambda: canvas.points(frame, "x", "y", reduction))
    return Answer(seconds, image.sortby(column).values if agg == "by" else image.values)


def line(x0: float, x1: float, width: int) -> Answer:
    """A raster of the whole line, as its users see it: datashader does not decimate."""
    low, high = float(frame["y"].min()), float(frame["y"].max())
    canvas = ds.Canvas(width, 768, (x0, x1), (low, high))
    seconds, image = timed(lambda: canvas.line(frame, "x", "y", ds.any()))
    return Answer(seconds, image.values)


serve(load, view, line)
