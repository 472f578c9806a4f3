"""Whether two systems counted the same: checked before anything is timed, and stated with every latency."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.opened import Opened
from bench.peers.process import Peer

__all__ = ["Disagreement", "check_exact", "counts_error"]

LEVEL = 3  # of the block of tiles that is compared: 2 x 2 of 8 x 8
BLOCK = 512


class Disagreement(Exception):
    """A peer that is exact and bigviz have different numbers: no timing of either would mean anything."""


def check_exact(opened: Opened, peer: Peer, **view: Any) -> None:
    """Raise Disagreement unless a block of 2 x 2 tiles equals the peer's image of the same cells.

    Tile edges are dyadic, so an affine formula is exact on them. A peer's window may be closed at its upper ends: the
    last column and the highest row are left out. Means are compared to 1e-6, the rest to the bit.
    """
    (xs, xe), (ys, ye) = opened.roots
    i, j = _middle(opened)
    wide, high = 2.0 ** (xe - LEVEL), 2.0 ** (ye - LEVEL)
    x0, y1 = xs + i * wide, ys + ((1 << LEVEL) - j) * high
    window = [x0, x0 + 2 * wide, y1 - 2 * high, y1]
    theirs = peer.ask("view", keep=True, window=window, width=BLOCK, height=BLOCK, **view)["array"][::-1][1:, :-1]
    ours = opened.mosaic(LEVEL, LEVEL, range(i, i + 2), range(j, j + 2))[1:, :-1]
    if view.get("agg") == "mean":
        same = np.array_equal(np.isnan(ours), np.isnan(theirs)) and np.allclose(ours, theirs, 1e-6, equal_nan=True)
    else:
        same = np.array_equal(ours, theirs) and bool(ours.any())
    if not same:
        raise Disagreement(f"{peer.name} and bigviz differ in {view or 'counts'} over {window}")


def _middle(opened: Opened) -> tuple[int, int]:
    """Column and row of a tile of LEVEL where data is."""
    (xs, xe), (ys, ye) = opened.roots
    x0, y0, x1, y1 = opened.extent
    i = int(((x0 + x1) / 2 - xs) / 2.0 ** (xe - LEVEL))
    row = int(((y0 + y1) / 2 - ys) / 2.0 ** (ye - LEVEL))
    return min(i, (1 << LEVEL) - 2), min((1 << LEVEL) - 1 - row, (1 << LEVEL) - 2)


def counts_error(theirs: np.ndarray, ours: np.ndarray) -> str:
    """How far a peer's counts are from exact ones of the same cells, in words."""
    filled = (ours > 0) | (theirs > 0)
    if np.array_equal(theirs, ours):
        return "exact"
    truth = ours[filled].astype(np.float64)
    off = np.abs(theirs[filled] - truth) / np.maximum(truth, 1.0)
    wrong = float((np.rint(theirs[filled]) != truth).mean())
    total = float(theirs.sum() / max(ours.sum(), 1))
    return f"{wrong:.2%} of filled cells off, by {np.median(off):.2g} in the median; sum {total:.3g} of the true"
