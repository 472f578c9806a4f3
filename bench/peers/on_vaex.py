# /// script
# dependencies = ["vaex-core==4.19.0", "pandas==2.3.3", "pyarrow==26.0.1", "numpy==2.4.6"]
# ///
"""vaex: a pass over mapped Arrow columns for each image, on as many threads as it likes."""

import vaex
from loop import Answer, serve, timed

frame = None


def load(path: str, columns: list[str]) -> Answer:
    """The file mapped, as vaex does by itself."""
    global frame
    seconds, frame = timed(lambda: vaex.open(path)[columns])
    return Answer(seconds)


def view(window: list[float], width: int, height: int, agg: str = "count", column: str = "") -> Answer:
    """An image of the half-open window: row 0 the lowest y."""
    x0, x1, y0, y1 = window
    grid = {"binby": ["x", "y"], "limits": [[x0, x1], [y0, y1]], "shape": (width, height)}
    work = {"count": lambda: frame.count(**grid), "mean": lambda: frame.mean(column, **grid)}[agg]
    seconds, image = timed(work)
    return Answer(seconds, image.T)


serve(load, view)
