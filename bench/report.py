"""Figures of a run: what was measured, its bound, what rivals took; and how all that is kept and printed."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

__all__ = [
    "Figure",
    "Rival",
    "keep",
    "load",
    "long_table",
    "number",
    "peers_table",
    "save",
    "statistic",
    "words",
    "write_between",
]

BEGIN: Final = "<!-- benchmarks: written by `python -m bench --write` -->"
END: Final = "<!-- end of benchmarks -->"
COMPARED: Final = {
    "pan or wheel step at 10^8 rows, input to all tiles exact": "pan or wheel step in the browser, 10^8 rows",
    "view of 10^8 rows, 1 of the area": "counts, 10^8 rows, all of the area",
    "view of 10^8 rows, 0.01 of the area": "counts, 10^8 rows, 1 % of the area",
    "view of 10^9 rows, 0.01 of the area": "counts, 10^9 rows, 1 % of the area",
    "view of 10^8 rows, mean(value), 0.01 of the area": "means, 10^8 rows, 1 % of the area",
    "view of 10^8 rows, by(kind), 0.01 of the area": "counts by category, 10^8 rows, 1 % of the area",
    "line of 10^8 rows, 2,000 columns, all of it": "line, 10^8 rows, 2,000 pixels",
    "line of 10^9 rows, 2,000 columns, all of it": "line, 10^9 rows, 2,000 pixels",
}
"""The figures of the README's table, at most eight, and what they are called there."""


@dataclass(frozen=True)
class Rival:
    """Another system on the same work in the same run: its samples, in the figure's unit, and what they bought.

    `delivered` says what it sent (cells, rows), `counts` how far that is from the truth. A rival that failed has no
    samples, and `counts` says why.
    """

    name: str
    samples: Sequence[float]
    delivered: str = ""
    counts: str = ""


@dataclass(frozen=True)
class Figure:
    """One measured quantity.

    `samples` are in `unit`; `bound` is what the project promises for `statistic` of them (None: informative).
    `delivered` and `counts` as for a rival.
    """

    what: str
    unit: str
    samples: Sequence[float]
    statistic: str = "p95"
    bound: float | None = None
    delivered: str = ""
    counts: str = ""
    rivals: Sequence[Rival] = ()

    @property
    def value(self) -> float:
        return statistic(self.samples, self.statistic)

    @property
    def held(self) -> bool | None:
        return None if self.bound is None else self.value <= self.bound

    def __str__(self) -> str:
        median = "" if self.statistic != "p95" else f", median {number(statistic(self.samples, 'median'), self.unit)}"
        text = f"{self.what}: {number(self.value, self.unit)} ({self.statistic} of {len(self.samples)}{median})"
        if self.bound is not None:
            text += f", at most {number(self.bound, self.unit)}" + ("" if self.held else ": MISSED")
        for rival in self.rivals:
            took = "-"
            if rival.samples:
                took = "median {}, p95 {}".format(*_middle_and_high(rival.samples, self.unit))
            text += f"; {rival.name} {took} ({'; '.join(filter(None, (rival.delivered or 'same', rival.counts)))})"
        return text


def statistic(samples: Sequence[float], name: str) -> float:
    """`median`, `p95`, `max`, or `total` of samples; pNN is the smallest sample that at least NN % do not exceed."""
    ordered = sorted(samples)
    if name == "total":
        return math.fsum(ordered)
    if name == "max":
        return ordered[-1]
    share = 0.5 if name == "median" else int(name.removeprefix("p")) / 100
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def words(rows: int) -> str:
    """A number of rows as people write it: 10^8, 9 x 10^7."""
    factor, exponent = f"{rows:.2e}".split("e")
    power = f"10^{int(exponent)}"
    return power if float(factor) == 1 else f"{float(factor):g} x {power}"


# --- keeping ---


def keep(path: Path, case: str, run: dict[str, Any], figures: Iterable[Figure]) -> None:
    """Put a case's figures into the file of results, in the place of an earlier run's."""
    save(path, load(path) | {case: {**run, "figures": [asdict(figure) for figure in figures]}})


def save(path: Path, results: dict[str, Any]) -> None:
    """Write results, a line a case, samples to four digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{json.dumps(case)}: {json.dumps(_rounded(run))}" for case, run in sorted(results.items())]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def load(path: Path) -> dict[str, Any]:
    """The kept results: case -> `{"date", "machine", "figures"}`; empty without a file."""
    return json.loads(path.read_text()) if path.exists() else {}


def figures_of(run: dict[str, Any]) -> list[Figure]:
    """The figures of one kept case."""
    return [Figure(**{**each, "rivals": [Rival(**rival) for rival in each["rivals"]]}) for each in run["figures"]]


# --- printing ---


def long_table(results: dict[str, Any]) -> str:
    """Every figure: a row for bigviz with its bound, then one a rival with how many times as long it took."""
    parts = []
    for case, run in results.items():
        lines = [
            f"### {case}",
            "",
            "| what | system | median | p95 | bound, or times bigviz's median | delivered | counts |",
            "| --- | --- | ---: | ---: | ---: | --- | --- |",
        ]
        for figure in figures_of(run):
            lines += _rows(figure)
        commit = run["machine"].get("commit", "no repository")
        parts.append("\n".join([*lines, "", f"{run['date']}, commit {commit}, in {run['seconds']} s."]))
    return "\n\n".join([*parts, _measured_on(results)])


def _rows(figure: Figure) -> list[str]:
    unit = figure.unit
    bound = ""
    if figure.bound is not None:
        bound = f"{figure.statistic} at most {number(figure.bound, unit)}"
        bound += "" if figure.held else f": **missed**, {number(figure.value, unit)}"
    what = f"{figure.what} ({len(figure.samples)})"
    cells = [what, "bigviz", *_middle_and_high(figure.samples, unit), bound, figure.delivered, figure.counts]
    rows = ["| " + " | ".join(cells) + " |"]
    for rival in figure.rivals:
        cells = ["", rival.name, "-", "-", "", rival.delivered, rival.counts]
        if rival.samples:
            cells[2:5] = [*_middle_and_high(rival.samples, unit), _ratio(figure, rival)]
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def _ratio(figure: Figure, rival: Rival) -> str:
    times = statistic(rival.samples, "median") / (statistic(figure.samples, "median") or math.nan)
    return f"{times:.3g} x" if times >= 1 else f"**{times:.2g} x: faster**"


def _middle_and_high(samples: Sequence[float], unit: str) -> tuple[str, str]:
    return tuple(number(statistic(samples, name), unit) for name in ("median", "p95"))  # type: ignore[return-value]


def peers_table(results: dict[str, Any]) -> str:
    """The README's table: `COMPARED` with the peers' medians, and how far those that are not exact are off."""
    lines = ["| what | bigviz | others |", "| --- | ---: | --- |"]
    measured = {figure.what: figure for run in results.values() for figure in figures_of(run)}
    for what, words_for_it in COMPARED.items():
        if what in measured:
            figure = measured[what]
            median = number(statistic(figure.samples, "median"), figure.unit)
            lines.append(f"| {words_for_it} | {median} | {_others(figure)} |")
    return "\n".join(lines)


def _measured_on(results: dict[str, Any]) -> str:
    """The machines and versions, and how fast they were in each run, in words."""
    runs = [run["machine"] for run in results.values()]
    machines = {", ".join(f"{k} {v}" for k, v in run.items() if k not in ("commit", "speed")) for run in runs}
    speeds = {run["speed"] for run in runs if "speed" in run}
    text = f"Measured on: {'; '.join(sorted(machines))}. Speeds: {'; '.join(sorted(speeds)) or 'not noted'}."
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _others(figure: Figure) -> str:
    texts = []
    for rival in figure.rivals:
        if rival.samples:
            inexact = f" ({rival.counts.split(',')[0]})" if rival.counts not in ("", "exact") else ""
            texts.append(f"{rival.name} {number(statistic(rival.samples, 'median'), figure.unit)}{inexact}")
    return "; ".join(texts)


def number(value: float, unit: str) -> str:
    """A value with its unit, to three digits or whole."""
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".rstrip()


def write_between(path: Path, text: str) -> None:
    """Put `text` between the two marks of a Markdown file; ValueError where they are missing."""
    whole = path.read_text()
    found = re.subn(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: f"{BEGIN}\n\n{text}\n\n{END}", whole, flags=re.DOTALL
    )
    if found[1] != 1:
        raise ValueError(f"{path} holds {found[1]} places between {BEGIN!r} and {END!r}; it should hold one")
    path.write_text(found[0])
