"""A viewport on the server: every tile of 1024 x 768 at data-centred places, nothing cached, until it is bytes."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import data, stores
from bench.agreement import check_exact, counts_error
from bench.machine import bytes_read, drop_cached
from bench.opened import AREAS, Opened, about, await_verified
from bench.peers.process import Peer, PeerFailed
from bench.places import LARGE, tidy
from bench.report import Figure, Rival, statistic, words
from bigviz.commands.bench.window import HEIGHT, WIDTH, Window

VIEWS: Final = 100
SECONDS: Final = 6.0  # for a peer's samples of one figure, at least three of them
BOUND: Final = 16.0  # ms at 10^8 rows
BOUNDS: Final = {"mean(value)": 30.0, "by(kind)": 60.0}  # ms, up to 10^8 rows
RANDOM: Final = 300
COLD: Final = 5
Windows = dict[float, list[Window]]


def run(rows: int) -> Iterator[Figure]:
    """Counts at four areas, with every peer that draws scatters; then the same from a cold page cache."""
    path = data.arrow("points", rows)
    opened, places = Opened(path, store=stores.of(path)), data.sample_rows(path, VIEWS)
    windows = {area: about(opened.extent, *places, area) for area in AREAS}
    ours = {area: sampled(opened, windows[area]) for area in AREAS}
    rivals = peers(opened, windows, rows, path)
    bound = BOUND * (1.5 if rows > LARGE else 1.0)
    for area in AREAS:
        what = f"view of {words(rows)} rows, {area:g} of the area"
        others = [rival[area] for rival in rivals]
        yield Figure(what, "ms", ours[area], "p95", bound, opened.cells(windows[area]), "exact", others)
    del opened
    yield from cold(path, windows)


def sampled(opened: Opened, windows: Sequence[Window]) -> list[float]:
    """Milliseconds of each view; three are made before, whose kernels may have to be compiled."""
    await_verified()
    for window in windows[:3]:
        opened.view(window)
    return [opened.view(window) for window in windows]


def peers(opened: Opened, windows: Windows, rows: int, path: Path) -> list[dict[float, Rival]]:
    """Each peer's rivals by area: checked first where it is exact, else compared with exact images."""
    return [
        rival(opened, windows, "datashader", _dask(rows), path),
        rival(opened, windows, "vaex", {}, path),
        rival(opened, windows, "xy", {"mapped": rows > LARGE}, path, exact=False),
    ]


def _dask(rows: int) -> dict[str, Any]:
    """How datashader takes the table: as a pandas frame while that fits into memory with the rest."""
    return {"dask_threads": 2} if rows > LARGE else {}


def rival(
    opened: Opened,
    windows: Windows,
    name: str,
    loading: dict[str, Any],
    path: Path,
    *,
    exact: bool = True,
    columns: Sequence[str] = ("x", "y"),
    **view: Any,
) -> dict[float, Rival]:
    """A peer over the same windows: area -> what it took, sent, and how far its counts are off."""
    label = f"{name} (dask, 2 threads)" if loading.get("dask_threads") else name
    try:
        with Peer(name) as peer:
            peer.ask("load", path=str(path), columns=list(columns), **loading)
            if exact:
                check_exact(opened, peer, **view)
            return {area: _sampled(opened, peer, label, some, exact, view) for area, some in windows.items()}
    except PeerFailed as error:
        return {area: Rival(label, [], counts=f"failed: {error}") for area in windows}


def _sampled(
    opened: Opened, peer: Peer, label: str, windows: Sequence[Window], exact: bool, view: dict[str, Any]
) -> Rival:
    times: list[float] = []
    delivered = counts = ""
    end = time.perf_counter() + SECONDS
    for number, window in enumerate(windows):
        sides = [window.x0, window.x1, window.y0, window.y1]
        if view.get("log"):
            sides = [10.0**side for side in sides]
        checked = not exact and number == 0
        answer = peer.ask("view", keep=checked, window=sides, width=WIDTH, height=HEIGHT, **view)
        if number == 0:  # what is compiled or built on first use
            delivered, counts = _bought(opened, window, answer, exact)
        else:
            times.append(answer["seconds"] * 1e3)
        if time.perf_counter() > end and len(times) >= 3:
            break
    return Rival(label, times, delivered, counts)


def _bought(opened: Opened, window: Window, answer: dict[str, Any], exact: bool) -> tuple[str, str]:
    """What an answer delivers, and how far its counts are off, in words."""
    if "points" in answer:
        rows = int(opened.image(window, WIDTH, HEIGHT).sum())
        same = answer["inside"] == rows
        return f"{answer['points']:,} points", "exact" if same else f"{answer['inside']:,} of {rows:,} rows"
    width, height = answer.get("cells", (WIDTH, HEIGHT))
    counts = "exact" if exact else counts_error(answer["array"], opened.image(window, width, height))
    return f"{width} x {height} cells" + (f" ({answer['how']})" if "how" in answer else ""), counts


def cold(path: Path, windows: Windows) -> Iterator[Figure]:
    """The first view of a newly opened store of which the system caches nothing; it has no bound.

    What was read from disk is stated, because the system only drops pages of files that nobody maps.
    """
    store = stores.of(path)
    if store is None:
        return
    for area in AREAS:
        times, read = [], []
        for k in range(COLD):
            gc.collect()  # unmaps what was opened
            drop_cached(store)
            opened = Opened(path, store=store, cold=True)
            before = bytes_read()
            times.append(opened.view(windows[area][k]))
            read.append(bytes_read() - before)
            del opened
        what = f"cold: {area:g} of the area, page cache dropped, store just opened"
        yield Figure(what, "ms", times, "median", None, f"{statistic(read, 'median') / 1e6:.1f} MB read", "exact")


def values(rows: int) -> Iterator[Figure]:
    """Means of a column, and counts by eight categories."""
    path = data.arrow("points", rows)
    base = Opened(path, store=stores.of(path, stores.COLUMNS, aggs=tuple(BOUNDS)))
    places = data.sample_rows(path, VIEWS)
    windows = {area: about(base.extent, *places, area) for area in AREAS}
    for agg, rival_of in (("mean(value)", _means), ("by(kind)", _categories)):
        opened = base.with_agg(agg)
        ours = {area: sampled(opened, windows[area]) for area in AREAS}
        rivals = rival_of(opened, windows, rows, path)
        for area in AREAS:
            what = f"view of {words(rows)} rows, {agg}, {area:g} of the area"
            others = [each[area] for each in rivals]
            delivered = opened.cells(windows[area])
            bound = None if rows > LARGE else BOUNDS[agg]
            yield Figure(what, "ms", ours[area], "p95", bound, delivered, "exact", others)


def _means(opened: Opened, windows: Windows, rows: int, path: Path) -> list[dict[float, Rival]]:
    view: dict[str, Any] = {"columns": ("x", "y", "value"), "agg": "mean", "column": "value"}
    loading: dict[str, dict[str, Any]] = {"datashader": _dask(rows), "vaex": {}}
    return [rival(opened, windows, name, load, path, **view) for name, load in loading.items()]


def _categories(opened: Opened, windows: Windows, rows: int, path: Path) -> list[dict[float, Rival]]:
    if rows > LARGE:
        return []  # labels of 10^9 rows do not fit into this memory with the rest
    view: dict[str, Any] = {"columns": ("x", "y", "kind"), "agg": "by", "column": "kind"}
    return [rival(opened, windows, "datashader", {}, path, **view)]


def zooms(rows: int) -> Iterator[Figure]:
    """Any two levels: windows whose sides are independent powers of two of the range's, against the square ones."""
    path = data.arrow("points", rows)
    opened, places = Opened(path, store=stores.of(path)), data.sample_rows(path, VIEWS)
    square = max(statistic(sampled(opened, about(opened.extent, *places, area)), "p95") for area in AREAS)
    x, y = data.sample_rows(path, RANDOM, seed=3)
    x0, y0, x1, y1 = opened.extent
    halvings = np.random.default_rng(2).uniform(1, 13, (2, RANDOM))
    w, h = (x1 - x0) * 0.5 ** halvings[0], (y1 - y0) * 0.5 ** halvings[1]
    windows = [Window(*sides) for sides in np.stack([x - w, x + w, y - h, y + h], axis=1).tolist()]
    times = 5 if rows > LARGE else 3
    what = f"any (zx, zy) at {words(rows)} rows; bound: {times} x the p95 of square views"
    yield Figure(what, "ms", sampled(opened, windows), "p95", times * square, opened.cells(windows), "exact")


def log(rows: int) -> Iterator[Figure]:
    """Views on two log axes, against the same shares of the area on linear ones."""
    usual = _linear(rows)
    if rows > LARGE:  # both tables with their stores, and what a build puts aside, are more than the disk holds
        tidy(but="log")
    path = data.arrow("log", rows)
    opened = Opened(path, store=stores.of(path, xaxis="log", yaxis="log"), xaxis="log", yaxis="log")
    x, y = data.sample_rows(path, VIEWS)
    windows = {area: about(opened.extent, np.log10(x), np.log10(y), area) for area in AREAS}
    rivals = _logarithmic(opened, windows, rows, path)
    for area in AREAS:
        what = f"log axes at {words(rows)} rows, {area:g} of the area; bound: 1.5 x the p95 of linear ones"
        ours, bound = sampled(opened, windows[area]), 1.5 * usual[area]
        others = [each[area] for each in rivals]
        yield Figure(what, "ms", ours, "p95", bound, opened.cells(windows[area]), "exact", others)


def _linear(rows: int) -> dict[float, float]:
    """The p95 of views on linear axes."""
    path = data.arrow("points", rows)
    opened = Opened(path, store=stores.of(path))
    places = data.sample_rows(path, VIEWS)
    return {area: statistic(sampled(opened, about(opened.extent, *places, area)), "p95") for area in AREAS}


def _logarithmic(opened: Opened, windows: Windows, rows: int, path: Path) -> list[dict[float, Rival]]:
    """Their cells are cut by another formula than tiles are: what differs is stated, and not checked."""
    found = [rival(opened, windows, "datashader", _dask(rows), path, exact=False, log=True)]
    if rows <= LARGE:
        found.append(rival(opened, windows, "xy", {"log": True}, path, exact=False, log=True))
    return found


def grid(rows: int) -> Iterator[Figure]:
    """3,000 distinct integer points, each hundreds of thousands of times."""
    path = data.arrow("grid", rows * 9 // 10)
    opened = Opened(path, store=stores.of(path))
    places = data.sample_rows(path, VIEWS)
    areas = (*AREAS, 1e-8, 1e-10)
    windows = {area: about(opened.extent, *places, area) for area in areas}
    ours = {area: sampled(opened, windows[area]) for area in areas}
    few = {area: windows[area] for area in (1.0, 1e-2)}
    rivals = rival(opened, few, "datashader", _dask(rows), path)
    for area in areas:
        what = f"{words(rows * 9 // 10)} rows on 3,000 points, {area:g} of the area"
        others = [rivals[area]] if area in rivals else []
        yield Figure(
            what,
            "ms",
            ours[area],
            "p95",
            BOUND,
            opened.cells(windows[area]),
            "exact",
            others,
        )


def lines(rows: int) -> Iterator[Figure]:
    """Rows on one line, and on three, at windows of any two levels about rows: most of them miss the lines' squares."""
    tables: tuple[tuple[data.Table, str], ...] = (("flat", "one y"), ("steps", "three y"))
    for table, words_of in tables:
        path = data.arrow(table, rows * 9 // 10)
        opened = Opened(path, store=stores.of(path))
        x, y = data.sample_rows(path, RANDOM)
        halvings = np.random.default_rng(4).uniform(0, 24, (2, RANDOM))
        w, h = (np.ldexp(0.5, exponent) * 0.5**side for (_, exponent), side in zip(opened.roots, halvings, strict=True))
        windows = [Window(*sides) for sides in np.stack([x - w, x + w, y - h, y + h], axis=1).tolist()]
        what = f"{words(rows * 9 // 10)} rows at {words_of}, any (zx, zy)"
        yield Figure(what, "ms", sampled(opened, windows), "p95", BOUND, opened.cells(windows), "exact")
