"""Strokes of lines through points as convex pieces: bevel joins, round or butt ends, dashes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["dashed", "stroked"]

Array = npt.NDArray[Any]
_CORNERS: Final = 4
_ROUND: Final = 24  # corners of half a round end, at least
_NEAR: Final = 1 / 4096  # points no farther apart are one


def stroked(paths: Sequence[Array], width: float, rounded: bool) -> Array:
    """The pieces (n, 4, 2) of strokes along paths (points, 2) in pixels; `rounded` ends, or ones cut square."""
    found = [np.empty((0, _CORNERS, 2))]
    for path in paths:
        points = _apart(path)
        if len(points) > 1:
            found += _along(points, width / 2)
            if rounded:
                found += [_cap(points[0], points[0] - points[1], width / 2)]
                found += [_cap(points[-1], points[-1] - points[-2], width / 2)]
    return np.concatenate(found)


def dashed(path: Array, lengths: Sequence[float]) -> list[Array]:
    """The parts of a path (points, 2) that a pattern of lengths on and off leaves, from its beginning on."""
    pattern = list(lengths) * (2 if len(lengths) % 2 else 1)
    total = sum(pattern)
    points = _apart(path)
    if len(points) < 2 or not total > 0:
        return [points]
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    out, start = [], 0.0
    while start < along[-1]:
        place = start
        for number, length in enumerate(pattern):
            if number % 2 == 0 and place < along[-1]:
                out.append(_between(points, along, place, min(place + length, along[-1])))
            place += length
        start += total
    return out


def _between(points: Array, along: Array, start: float, stop: float) -> Array:
    """The part of a path from one distance to another."""
    inner = points[(along > start) & (along < stop)]
    ends = [[np.interp(at, along, points[:, axis]) for axis in (0, 1)] for at in (start, stop)]
    return np.concatenate([[ends[0]], inner, [ends[1]]])


def _apart(path: Array) -> Array:
    """The path without points that are where the one before is."""
    if len(path) < 2:
        return path
    moved = np.hypot(*np.diff(path, axis=0).T) > _NEAR
    kept: Array = path[np.concatenate([[True], moved])]
    return kept


def _along(points: Array, half: float) -> list[Array]:
    """A rectangle for each segment and a triangle at the outer side of each joint."""
    steps = np.diff(points, axis=0)
    normals = steps[:, ::-1] * [-1, 1] / np.hypot(*steps.T)[:, None] * half
    a, b = points[:-1], points[1:]
    bars = np.stack([a + normals, b + normals, b - normals, a - normals], 1)
    turn = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    side = np.where(turn > 0, -1.0, 1.0)[:, None]
    joint = points[1:-1]
    before, after = joint + side * normals[:-1], joint + side * normals[1:]
    return [bars, np.stack([joint, before, after, after], 1)]


def _cap(end: Array, away: Array, half: float) -> Array:
    """Half a disc at the end of a path that comes from the other side than `away` points to."""
    count = max(_ROUND, math.ceil(4 * half))
    start = math.atan2(away[1], away[0]) - math.pi / 2
    angles = start + np.linspace(0, math.pi, 3 * count + 1)
    rim = end + half * np.stack([np.cos(angles), np.sin(angles)], 1)
    parts = [[end, *rim[at : at + 3]] for at in range(0, len(rim) - 2, 2)]
    return np.array([*parts, [end, rim[-2], rim[-1], rim[-1]]])
