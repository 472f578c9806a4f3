"""`bv.Canvas` and fixed-size images by HTTP, beside datashader's Canvas on the same rows in the same run.

Both draw by turns; a bound is the median that datashader took, divided by how many times as fast bigviz is to be.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import datashader as ds
import numpy as np
import pandas as pd
import pyarrow as pa
import xarray as xr

import bigviz as bv
from bench import data, stores
from bench.cases.http import Kept
from bench.opened import Opened, about, await_verified
from bench.places import LARGE, made
from bench.report import Figure, Rival, words
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import HEIGHT, WIDTH, Window
from bigviz.tiles import canvas as indexed_canvas

__all__ = ["indexed", "run"]

REPEATS: Final = 7
NORMAL: Final = 2 * 10**7  # rows up to which a table of normal points is made, in memory
MOST_ERROR: Final = 1e-12  # of sums and means, of the sum of |v| of a cell
TIMES: Final = {"count": 2.5, "any": None, "mean": 4.0, "max": 4.0, "by": 4.0}
"""How many times as fast as datashader an image of all rows is to be, by its reduction."""
AREAS: Final = {1.0: 8.0, 1e-2: 30.0, 1e-6: 150.0}
"""The same for counts with an index, by the share of the area that is drawn."""
LINE: Final = 100.0
HTTP: Final = 25.0  # ms
REQUESTS: Final = 40
FEW: Final = 4  # images that datashader draws of a table of 10^8 rows


def run(rows: int) -> Iterator[Figure]:
    """Images of all rows and of parts of them, without an index, of a Clifford attractor and of normal points."""
    tables = {"attractor": _attractor(rows)}
    if rows <= NORMAL:
        tables["normal"] = _normal(rows)
    for name, frame in tables.items():
        what = f"Canvas, {name}, {words(rows)} rows"
        for kind in TIMES:
            yield _compared(f"{what}: {kind}", frame, kind, None, TIMES[kind])
        (x0, x1), (y0, y1) = _ends(frame)
        for share in (0.25, 1e-2):
            side = share**0.5 / 2
            windows = tuple(
                ((a + b) / 2 - side * (b - a), (a + b) / 2 + side * (b - a)) for a, b in ((x0, x1), (y0, y1))
            )
            yield _compared(f"{what}: count, {100 * share:g} % of the area", frame, "count", windows, TIMES["count"])


def indexed(rows: int) -> Iterator[Figure]:
    """Images and lines of files with an index on the disk, as `bigviz index` writes it, and images by HTTP."""
    if stores.in_memory(data.arrow("points", rows)) or rows > LARGE:
        return
    yield from _points_of_index(rows)
    yield from _lines_of_index(rows)


def _points_of_index(rows: int) -> Iterator[Figure]:
    path = data.arrow("points", rows)
    store = stores.of(path, stores.COLUMNS)
    assert store is not None
    opened = Opened(path, store=store)
    await_verified()
    _index_of_user(store)
    frame, table = _attractor(rows), bv.open(str(path))
    centres = data.sample_rows(path, REPEATS)
    for area, times in AREAS.items():
        windows = [((w.x0, w.x1), (w.y0, w.y1)) for w in about(opened.extent, *centres, area)]
        what = (
            f"Canvas with an index, {words(rows)} rows: count, {area:.0e} of the area"
            if area < 1
            else (f"Canvas with an index, {words(rows)} rows: count, all")
        )
        yield _by_turns(what, table, frame, "points", ("x", "y", "count"), windows, times)
    yield _by_http(path, store, about(opened.extent, *data.sample_rows(path, REQUESTS), 1e-2), opened)


def _lines_of_index(rows: int) -> Iterator[Figure]:
    path = data.arrow("line", rows)
    store = made("stores") / f"{path.stem}-line"
    if not store.exists():
        stores.build(path, store, glyph="line")
    _index_of_user(store)
    with pa.memory_map(str(path)) as source:
        frame = pa.ipc.open_file(source).read_all().combine_chunks().to_pandas()
    low, high = float(frame["y"].min()), float(frame["y"].max())
    table = bv.open(str(path))
    for share, name in ((1.0, "all"), (1e-2, "1 %")):
        starts = np.random.default_rng(3).uniform(0, (1 - share) * rows, FEW)
        windows = [((start, start + share * (rows - 1)), (low, high)) for start in starts.tolist()]
        what = f"Canvas.line with an index, {words(rows)} rows: {name}"
        yield _by_turns(what, table, frame, "line", ("x", "y", "any"), windows, LINE)


def _by_turns(
    what: str, table: Any, frame: Any, glyph: str, columns: tuple[str, str, str], windows: Sequence[Any], times: float
) -> Figure:
    x, y, agg = columns
    samples: list[list[float]] = [[], []]
    for number, (x_range, y_range) in enumerate(windows):
        images = []
        for module, source, taken in ((bv, table, samples[0]), (ds, frame, samples[1])):
            if module is ds and number >= FEW:
                continue
            canvas = module.Canvas(WIDTH, HEIGHT, x_range, y_range)
            began = time.perf_counter()
            images.append(getattr(canvas, glyph)(source, x, y, getattr(module, agg)()))
            taken.append(1e3 * (time.perf_counter() - began))
        if len(images) == 2 and not images[0].identical(images[1]):
            raise AssertionError(f"{what}: differs in {int((images[0].values != images[1].values).sum()):,} cells")
    theirs = samples[1][1:] if len(samples[1]) > 1 else samples[1]  # the first one compiles
    rival = Rival("datashader", theirs, f"{WIDTH} x {HEIGHT} cells", "exact")
    bound = float(np.median(theirs)) / times
    return Figure(what, "ms", samples[0][1:], "median", bound, f"{WIDTH} x {HEIGHT} cells", "exact", [rival])


def _by_http(path: Path, store: Path, windows: Sequence[Window], opened: Opened) -> Figure:
    """`image.npy` of windows that nobody has asked for before, over one connection, read from a bare socket: Tornado's
    own client takes 5 ms for 3 MB."""
    options = [f"table={path}", "--x=x", "--y=y", f"--store-dir={store}"]
    samples = []
    with serving(options) as url:
        client = Kept(urlsplit(url).port or 80)
        for window in windows:
            ends = {"x0": window.x0, "x1": window.x1, "y0": window.y0, "y1": window.y1}
            query = urlencode({**ends, "width": WIDTH, "height": HEIGHT})
            began = time.perf_counter()
            answer = client.get(f"/table/layers/0/image.npy?{query}")
            samples.append(1e3 * (time.perf_counter() - began))
        image = np.load(io.BytesIO(answer.body))[::-1]
        client.close()
    if not (image == opened.image(windows[-1], WIDTH, HEIGHT)).all():
        raise AssertionError("image.npy differs from the engine's image")
    what = f"image.npy by HTTP, {words(opened.dataset.num_rows)} rows, 1 % of the area"
    return Figure(what, "ms", samples[len(samples) // 4 :], "p95", HTTP, f"{WIDTH} x {HEIGHT} cells", "exact")


def _index_of_user(store: Path) -> None:
    """Let `Canvas` find a directory of stores where it looks for those of the user."""
    home = made("scratch", "cache-home")
    link = home / "bigviz"
    link.unlink(missing_ok=True)
    link.symlink_to(store, target_is_directory=True)
    os.environ["XDG_CACHE_HOME"] = str(home)
    indexed_canvas.forget()


def _attractor(rows: int) -> pd.DataFrame:
    """The benchmark's points, over Arrow's memory."""
    with pa.memory_map(str(data.arrow("points", rows))) as source:
        table = pa.ipc.open_file(source).read_all()
        return pd.DataFrame(
            {name: np.concatenate([np.asarray(c) for c in table[name].chunks]) for name in ("x", "y", "value")}
            | {"kind": table["kind"].unify_dictionaries().combine_chunks().to_pandas()},
            copy=False,
        )


def _normal(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(12)
    columns = {name: rng.standard_normal(rows, dtype=np.float32) for name in ("x", "y", "value")}
    kind = pd.Categorical.from_codes(rng.integers(0, 8, rows, dtype=np.int8), [f"kind {k}" for k in range(8)])
    return pd.DataFrame(columns | {"kind": kind}, copy=False)


def _ends(frame: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    return tuple((float(frame[name].min()), float(frame[name].max())) for name in ("x", "y"))  # type: ignore[return-value]


def _compared(what: str, frame: pd.DataFrame, kind: str, window: Any, times: float | None) -> Figure:
    """Both on the same rows, taken by turns; the bound is datashader's median divided by `times`."""
    ends = window or (None, None)
    draws = [_drawn(module, frame, kind, *ends) for module in (bv, ds)]
    _check(frame, kind, *(draw() for draw in draws), *ends)  # what is compiled on first use, too
    samples: list[list[float]] = [[], []]
    for _ in range(REPEATS):
        for draw, taken in zip(draws, samples, strict=True):
            began = time.perf_counter()
            draw()
            taken.append(1e3 * (time.perf_counter() - began))
    bound = None if times is None else float(np.median(samples[1])) / times
    rival = Rival("datashader", samples[1], f"{WIDTH} x {HEIGHT} cells", "exact")
    return Figure(what, "ms", samples[0], "median", bound, f"{WIDTH} x {HEIGHT} cells", "exact", [rival])


def _drawn(module: Any, frame: pd.DataFrame, kind: str, x_range: Any, y_range: Any) -> Callable[[], xr.DataArray]:
    agg = {
        "count": module.count,
        "any": module.any,
        "mean": lambda: module.mean("value"),
        "max": lambda: module.max("value"),
        "by": lambda: module.by("kind", module.count()),
    }[kind]()
    canvas = module.Canvas(WIDTH, HEIGHT, x_range, y_range)
    return lambda: canvas.points(frame, "x", "y", agg)


def _check(frame: pd.DataFrame, kind: str, ours: xr.DataArray, theirs: xr.DataArray, *ends: Any) -> None:
    """Raise AssertionError where the images differ: at all, or for means by more than another order of additions may
    make of them."""
    if kind != "mean":
        if not ours.identical(theirs):
            raise AssertionError(f"{kind} differs in {int((ours.values != theirs.values).sum()):,} cells")
        return
    size = ds.Canvas(WIDTH, HEIGHT, *ends).points(frame.assign(size=frame["value"].abs()), "x", "y", ds.mean("size"))
    error = np.abs(ours.values - theirs.values)
    if not (np.isnan(ours.values) == np.isnan(theirs.values)).all() or (error > MOST_ERROR * size.values).any():
        raise AssertionError(f"means are {np.nanmax(error):.2g} off")
