"""Tiles in a page: whole levels, those without a row left out.

Of counts a level is its square tiles (zx = zy): the page adds up tiles of other pairs of levels, exactly. Other
reductions cannot be added, so a level has also those pairs whose other level is one or two below it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from bigviz.common.workers import usable_cores
from bigviz.export.html.blocks import BLOCK, Blocks, packed
from bigviz.export.html.kept_layer import Subject
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.interface import Tile
from bigviz.wire.frames import Type
from bigviz.wire.tiles import tile_parts

__all__ = ["KeptTiles", "z_order"]

_APART: Final = 2
_AHEAD: Final = 64  # tiles that are asked for before the first of them is there
_MOST_TILES: Final = 1 << 13  # of a level, unless its depth was asked for: making them takes some ten seconds


class KeptTiles:
    """The tiles of a layer of points."""

    def __init__(self, subject: Subject, scanned: bool, most: int | None = _MOST_TILES) -> None:
        """`most`: levels of more tiles than that are left out."""
        self._subject = subject
        self._scanned = scanned
        self._most = most
        self._levels: list[tuple[int, int, list[tuple[int, str]]]] = []
        self._filled: list[TileKey] = []
        self._counts = subject.layer.reduction.traits.counts
        self._deepest = -1

    def grow(self, level: int, room: int) -> int | None:
        """All pairs of a level, or none; level 0 whatever it takes."""
        if level > DEEPEST or level != self._deepest + 1:
            return None
        square = [TileKey(0, 0, 0, 0)] if level == 0 else [each.quarter(k) for each in self._filled for k in range(4)]
        if self._most is not None and len(square) > self._most:
            return None
        apart = range(0 if self._counts else min(_APART, level), -1, -1)
        pairs = [(level, level)] + [pair for k in apart if k for pair in ((level - k, level), (level, level - k))]
        room = room if level > 0 else 1 << 62
        taken, levels, filled = 0, [], self._filled
        for zx, zy in pairs:
            keys = square if zx == zy else _above(filled, zx, zy)
            found = self._blocks(keys, room - taken)
            if found is None:
                return None
            blocks, some = found
            filled = some if zx == zy else filled
            levels.append((zx, zy, blocks))
            taken += sum(len(text) for _, text in blocks)
        self._levels += levels
        self._filled, self._deepest = filled, level
        return taken

    def _blocks(self, keys: Sequence[TileKey], room: int) -> tuple[list[tuple[int, str]], list[TileKey]] | None:
        """Blocks of the tiles that are not empty, each after the Z-order of its first one, and these tiles; None where
        they take more than `room` characters."""
        keys = sorted(keys, key=z_order)
        filled: list[TileKey] = []
        waiting: deque[tuple[int, Future[str]]] = deque()
        done: list[tuple[int, str]] = []
        taken = 0
        with ThreadPoolExecutor(usable_cores()) as pool:
            try:
                for first, frames in self._grouped(pool, keys, filled):
                    waiting.append((first, pool.submit(packed, frames)))
                    while waiting and (waiting[0][1].done() or len(waiting) > _AHEAD):
                        place, text = waiting.popleft()
                        done.append((place, text.result()))
                        taken += len(done[-1][1])
                    if taken > room:
                        return None
                done += [(place, text.result()) for place, text in waiting]
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return (done, filled) if sum(len(text) for _, text in done) <= room else None

    def _grouped(
        self, pool: ThreadPoolExecutor, keys: Sequence[TileKey], filled: list[TileKey]
    ) -> Iterator[tuple[int, list[bytes]]]:
        """Frames that fill a block, after the Z-order of the first tile; tiles with a row are added to `filled`."""
        subject = self._subject
        first, frames, size = 0, list[bytes](), 0
        for number, tile in enumerate(self._tiles(pool, keys)):
            subject.progress(f"level {max(tile.key.zx, tile.key.zy)} of {subject.name}", (number + 1) / len(keys), 0)
            if not any(plane.filled for plane in tile.planes):
                continue
            filled.append(tile.key)
            own = subject.framed(Type.TILE, tile_parts(tile))
            if frames and size + sum(map(len, own)) > BLOCK:
                yield first, frames
                frames, size = [], 0
            first = first if frames else z_order(tile.key)
            frames += own
            size += sum(map(len, own))
        if frames:
            yield first, frames

    def _tiles(self, pool: ThreadPoolExecutor, keys: Sequence[TileKey]) -> Iterator[Tile]:
        """The tiles in the order of their keys, some of them being made ahead."""
        subject = self._subject
        if self._scanned:
            yield from subject.engine.scan(subject.dataset, subject.layer, keys, cancel=subject.cancel)
            return

        def draw(key: TileKey) -> Tile:
            return subject.engine.tile(subject.dataset, subject.layer, key, subject.cancel)

        ahead: deque[Future[Tile]] = deque()
        for key in keys:
            ahead.append(pool.submit(draw, key))
            if len(ahead) >= _AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

    def entry(self, blocks: Blocks) -> dict[str, Any]:
        levels = [[zx, zy, [[first, blocks.add(text)] for first, text in parts]] for zx, zy, parts in self._levels]
        planes = self._subject.info.planes
        return {"tiles": {"planes": 1 if planes is None else len(planes), "counts": self._counts, "levels": levels}}

    def inside(self) -> dict[str, Any]:
        return {"deepest": self._deepest, "apart": None if self._counts else _APART}

    def words(self) -> str:
        return f"levels 0 to {self._deepest}" if self._deepest else "level 0"

    @property
    def squares(self) -> list[TileKey]:
        """The tiles with a row of the deepest level."""
        return self._filled


def z_order(key: TileKey) -> int:
    """The bits of i and j by turns, i's first from the low end; as `zOrder` in static/offline/stored-tiles.js."""
    order = 0
    for bit in range(max(key.zx, key.zy)):
        order |= (key.i >> bit & 1) << 2 * bit | (key.j >> bit & 1) << 2 * bit + 1
    return order


def _above(filled: Sequence[TileKey], zx: int, zy: int) -> list[TileKey]:
    """The tiles of two levels that hold square ones."""
    return list({TileKey(zx, zy, key.i >> key.zx - zx, key.j >> key.zy - zy): None for key in filled})
