"""Figures of a run: what was measured, the bound it is held against, and how that is printed and kept."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured quantity.

    ``samples`` are in ``unit``; ``bound`` is what the project promises for ``statistic`` of them (None: informative).
    ``peer`` names who was measured on the same work in the same run, ``peer_samples`` what it took.
    """

    what: str
    unit: str
    samples: Sequence[float]
    statistic: str = "p95"
    bound: float | None = None
    peer: str | None = None
    peer_samples: Sequence[float] = field(default_factory=tuple)
    note: str = ""

    @property
    def value(self) -> float:
        return statistic(self.samples, self.statistic)

    @property
    def peer_value(self) -> float | None:
        return statistic(self.peer_samples, self.statistic) if self.peer_samples else None

    @property
    def held(self) -> bool | None:
        return None if self.bound is None else self.value <= self.bound


def statistic(samples: Sequence[float], name: str) -> float:
    """`median`, `p95`, `max`, or `total` of samples; pNN is the smallest sample that at least NN % do not exceed."""
    ordered = sorted(samples)
    if name == "total":
        return math.fsum(ordered)
    if name == "max":
        return ordered[-1]
    share = 0.5 if name == "median" else int(name.removeprefix("p")) / 100
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def markdown(figures: Sequence[Figure], machine: dict[str, str]) -> str:
    """The table that the README shows: one row a figure, losses included."""
    lines = [
        "| what | bigviz | bound | peer | peer / bigviz |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for figure in figures:
        bound = (
            "" if figure.bound is None else f"{figure.bound:g} {figure.unit}" + ("" if figure.held else " **missed**")
        )
        peer = ratio = ""
        if figure.peer_value is not None:
            peer = f"{figure.peer} {figure.peer_value:.3g} {figure.unit}"
            ratio = f"{figure.peer_value / figure.value:.3g} x" if figure.value else ""
        note = f" ({figure.note})" if figure.note else ""
        what = f"{figure.what}, {figure.statistic} of {len(figure.samples)}{note}"
        lines.append(f"| {what} | {figure.value:.3g} {figure.unit} | {bound} | {peer} | {ratio} |")
    facts = ", ".join(f"{name} {value}" for name, value in machine.items())
    return "\n".join([*lines, "", f"Measured on: {facts}."])


def save(path: Path, figures: Sequence[Figure], machine: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "figures": [asdict(f) for f in figures]}, indent=1) + "\n")
