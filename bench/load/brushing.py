"""What one viewer notices of others that brush: its views are answered before their steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from bench.load.clients import Outcome
from bench.load.crowd import crowd, job_of
from bench.load.fairness import compared, others_do, walks_of
from bench.load.served import Served, Settings, served
from bench.report import Figure, words

__all__ = ["brushing"]

_BRUSHING: Final = 100
_GOOD: Final = 4.0  # views a second of the viewer that is timed
_VIEW: Final = (2, 2, 128, 128, 640, 480)  # of the raster that is brushed


def brushing(settings: Settings) -> Iterator[Figure]:
    """Viewers that drag a box over all rows, each step as soon as the one before is answered, beside one that pans and
    zooms."""
    with served(settings.rows, _BRUSHING) as site:
        walks = walks_of(site, settings.rows, 2, int(settings.seconds * _GOOD))
        alone = _looked(site, walks[0], settings.seconds)
        job = job_of("press", site.url, _BRUSHING, seconds=settings.seconds, messages=_drags(site))
        used = site.process.cpu()
        with others_do(job) as others:
            found = _looked(site, walks[1], settings.seconds)
        used = site.process.cpu() - used
    what = f"{_BRUSHING} viewers that brush {words(settings.rows)} rows"
    yield from compared(what, alone.milliseconds, found.milliseconds)
    late = f"{what}: a good viewer's views that took longer than {1e3 / _GOOD:g} ms, alone and beside"
    yield Figure(late, "", [alone.replaced, found.replaced], "max", 0)
    (steps,) = others
    if not steps.milliseconds:
        raise RuntimeError(f"no step of a brush was answered in {settings.seconds:g} s")
    told = f"{len(steps.milliseconds):,} answered, {steps.failed:,} failed; {used:.1f} s of the server's CPU"
    yield Figure(f"{what}: steps of a brush, asked to answered, p95", "ms", steps.milliseconds, "p95", None, told)


def _looked(site: Served, messages: list[str], seconds: float) -> Outcome:
    """What became of a good viewer's views."""
    with crowd(job_of("views", site.url, 1, _GOOD, seconds=seconds, messages=[messages])) as viewing:
        return viewing.work()


def _drags(site: Served) -> list[list[str]]:
    """Steps of each viewer's brush, each from a place of its own."""
    home, wanted = site.home, site.definition
    raster = {"figure": 0, "layer": 0, "definition": {**wanted, "x": "y", "y": "value"}, "view": list(_VIEW)}
    counted = {name: each for name, each in wanted.items() if name in ("dataset",)}
    bars = {"glyph": "histogram", "x": "value", "columns": {"x0": "-4", "x1": "4", "width": 400}}
    histogram = {"figure": 0, "layer": 0, "definition": {**counted, **{k: bars[k] for k in ("glyph", "x")}}}
    targets = [raster, {**histogram, "columns": bars["columns"]}]
    return [[_step(wanted, targets, home, seed, step) for step in range(60)] for seed in range(_BRUSHING)]


def _step(definition: dict[str, Any], targets: list[Any], home: Any, seed: int, step: int) -> str:
    across, up = home.x1 - home.x0, home.y1 - home.y0
    left = home.x0 + across * (0.1 + 0.3 * seed / _BRUSHING + 0.005 * step)
    box = [left, home.y0 + 0.2 * up, left + 0.3 * across, home.y0 + 0.7 * up]
    told = {"op": "brush", "figure": 0, "layer": 0, "definition": definition, "seq": step, "box": box}
    return json.dumps({**told, "targets": targets})
