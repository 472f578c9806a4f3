"""Strokes of lines through points as outlines: bevel joins, round or butt ends, dashes. As Skia makes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["dashed", "stroked"]

Array = npt.NDArray[Any]
_ROUND: Final = 16  # parts of a round end
_NEAR: Final = 1 / 4096  # points no farther apart are one


def stroked(path: Array, width: float, rounded: bool) -> Array:
    """The closed outline (corners, 2) of a stroke along a path (points, 2) in pixels; `rounded` ends, or ones cut
    square. Nothing of a path without a length."""
    points = _apart(path)
    if len(points) < 2:
        return np.empty((0, 2))
    steps = np.diff(points, axis=0)
    normals = steps[:, ::-1] * [1, -1] / np.hypot(*steps.T)[:, None] * (width / 2)
    start, end = np.empty((0, 2)), np.empty((0, 2))
    if rounded:
        start, end = _cap(points[0], -normals[0]), _cap(points[-1], normals[-1])
    outer, inner = _sides(points, normals)
    return np.concatenate([outer, end, inner[::-1], start])


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
    first, last = np.searchsorted(along, start, "right"), np.searchsorted(along, stop, "left")
    ends = [[np.interp(at, along, points[:, axis]) for axis in (0, 1)] for at in (start, stop)]
    return np.concatenate([[ends[0]], points[first:last], [ends[1]]])


def _apart(path: Array) -> Array:
    """The path without points that are where the one before is."""
    if len(path) < 2:
        return path
    moved = np.hypot(*np.diff(path, axis=0).T) > _NEAR
    kept: Array = path[np.concatenate([[True], moved])]
    return kept


def _sides(points: Array, normals: Array) -> tuple[Array, Array]:
    """The stroke's two sides, from its first point on: at a joint the inner one goes through the point itself."""
    corners = np.empty((2, len(normals), 3, 2))  # side, segment: the joint's point where it is inner, start, end
    used = np.zeros((2, len(normals), 3), np.bool_)
    for side, sign in enumerate((1, -1)):
        corners[side, :, 0] = points[:-1]
        corners[side, :, 1] = points[:-1] + sign * normals
        corners[side, :, 2] = points[1:] + sign * normals
    used[:, :, 1:] = True
    before, after = normals[:-1], normals[1:]
    clockwise = before[:, 0] * after[:, 1] > before[:, 1] * after[:, 0]
    used[1, 1:, 0] = clockwise
    used[0, 1:, 0] = ~clockwise
    return corners[0][used[0]], corners[1][used[1]]


def _cap(end: Array, normal: Array) -> Array:
    """Half a circle about an end, from the side that `normal` points to, without its ends."""
    angles = math.atan2(normal[1], normal[0]) + np.linspace(0, math.pi, _ROUND + 1)[1:-1]
    rim: Array = end + math.hypot(*normal) * np.stack([np.cos(angles), np.sin(angles)], 1)
    return rim
