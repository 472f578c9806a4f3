"""What `bigviz bench` measured: percentiles, the table for people, and the object for programs."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from bigviz.commands.bench.client import ViewTime
from bigviz.common.memory import total_memory
from bigviz.common.printable import printable
from bigviz.common.workers import usable_cores

__all__ = ["BrowserRun", "Run", "machine", "percentile", "summary", "table", "to_json"]

_SHARES: Final = (50, 95, 99)
_STAGES: Final = {
    "total": "request to every part exact",
    "first": "request to the first part",
    "queue": "  waiting on the server",
    "kernel": "  computing",
    "encode": "  encoding",
    "wire": "  the rest: sending, receiving",
    "work": "computing and encoding, all parts (on all threads)",
}
_VERSIONS: Final = ("bigviz", "numpy", "numba", "pyarrow", "tornado")


@dataclass(frozen=True)
class BrowserRun:
    """What a real browser took: for each step the ms from an input event to the frame that drew the last exact part."""

    name: str
    steps: Sequence[float]


@dataclass(frozen=True)
class Run:
    """One run of `bigviz bench`: the table and the layer that were measured, and how long that took.

    `ready` is seconds from the first request to the finished index, nearly 0 if it was there already. `browser` is None
    if there was none, and `why` says why.
    """

    path: str
    definition: dict[str, str]
    rows: int
    ready: float
    views: Sequence[ViewTime]
    browser: BrowserRun | None = None
    why: str = ""
    facts: dict[str, str] = field(default_factory=dict)


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` per cent do not exceed; NaN without samples."""
    if not samples:
        return math.nan
    return sorted(samples)[max(0, math.ceil(share / 100 * len(samples)) - 1)]


def summary(samples: Sequence[float]) -> dict[str, float]:
    """`{"p50", "p95", "p99"}`, to a microsecond where the samples are ms."""
    return {f"p{share}": round(percentile(samples, share), 3) for share in _SHARES}


def machine() -> dict[str, str]:
    """What the run ran on: cores it may use, memory, processor, versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cores": str(usable_cores()),
        "memory": f"{total_memory() / 2**30:.0f} GiB",
        "processor": names[0] if names else platform.processor(),
        "python": platform.python_version(),
        **{name: version(name) for name in _VERSIONS},
    }


def to_json(run: Run) -> dict[str, Any]:
    """The run as JSON values; times are in ms except for `ready_s`."""
    stages = {name: summary([getattr(view, name) for view in run.views]) for name in _STAGES}
    sums = {name: sum(getattr(view, name) for view in run.views) for name in ("parts", "estimates", "rows")}
    browser: dict[str, Any] = {"absent": run.why}
    if run.browser is not None:
        steps = run.browser.steps
        browser = {"name": run.browser.name, "steps": len(steps), "input_to_exact_ms": summary(steps)}
    return {
        "path": run.path,
        "layer": run.definition,
        "rows": run.rows,
        "ready_s": round(run.ready, 3),
        "views": len(run.views),
        "views_ms": stages,
        "bytes_sent": summary([float(view.bytes_sent) for view in run.views]),
        **{f"{name}_in_all": number for name, number in sums.items()},
        "browser": browser,
        "machine": run.facts,
    }


def table(run: Run) -> Table:
    """The run as a table: one line for each stage, p50, p95 and p99 in ms."""
    what = run.definition
    title = f"{run.path}: {run.rows:,} rows, {what['agg']} of {what['x']}, {what['y']} ({what['glyph']})"
    found = Table(
        title=Text(printable(title)),  # as it stands: brackets in it are not markup
        caption=Text(_caption(run)),
        title_justify="left",
        caption_justify="left",
    )
    found.add_column(f"{len(run.views)} views of a scripted pan and zoom, ms")
    for share in _SHARES:
        found.add_column(f"p{share}", justify="right")
    for name, text in _STAGES.items():
        _add(found, text, [getattr(view, name) for view in run.views])
    if run.browser is not None:
        found.add_section()
        _add(found, f"{run.browser.name}: input to exact pixels", run.browser.steps)
    return found


def _add(found: Table, text: str, samples: Sequence[float]) -> None:
    found.add_row(text, *(f"{percentile(samples, share):.2f}" for share in _SHARES))


def _caption(run: Run) -> str:
    sent = percentile([view.bytes_sent / 1024 for view in run.views], 50)
    sentences = [
        f"Index ready after {run.ready:.1f} s. A view sends {sent:,.0f} KiB (median).",
        "Waiting, computing, encoding and the rest are those of the part that came last, and sum to the whole.",
        *([f"No browser: {run.why}"] if run.browser is None else []),
        ", ".join(f"{name} {value}" for name, value in run.facts.items()) + ".",
    ]
    return " ".join(sentences)
