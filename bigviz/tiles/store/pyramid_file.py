"""The planes of a pyramid on disk: payloads appended to one file, an entry for each to another; and the values of the
cells of each level in a third one, which older stores lack.

docs/store.md gives the format. A payload has a sum in its entry and is verified each time it is read; an entry has a
sum of its own. Entries of a tile are written after its payloads, so what an interrupted build left can be continued:
torn entries, and those whose payloads did not reach the disk, are dropped. Payloads are read by copy, not mapped: 100
KB take 15 microseconds, and memory stays what it was.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import Unreadable
from bigviz.common.jit import frozen, jit
from bigviz.common.xxh64 import checksum, span_sum
from bigviz.render.level_values import LevelValues
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.pyramid.accumulators import Kept
from bigviz.tiles.store.files.level_file import LEVELS, read_levels, write_levels
from bigviz.wire.codec import Codec, EncodedPlane

__all__ = ["ENTRIES", "PAYLOADS", "PlaneFile"]

ENTRIES: Final = "entries.bin"
PAYLOADS: Final = "planes.bin"

_FLUSH: Final = 1 << 23  # bytes of payloads that wait in memory to be written at once
_ENTRY: Final = np.dtype(
    [
        ("zx", "u1"),
        ("zy", "u1"),
        ("codec", "u1"),
        ("dtype", "u1"),
        ("plane", "<u2"),
        ("number", "<u2"),
        ("i", "<u4"),
        ("j", "<u4"),
        ("filled", "<u4"),
        ("length", "<u4"),
        ("offset", "<u8"),
        ("low", "<f8"),
        ("high", "<f8"),
        ("constant", "V8"),
        ("payload", "<u8"),
        ("entry", "<u8"),
    ]
)
_WORDS: Final = _ENTRY.itemsize // 8

Entries = npt.NDArray[Any]


class PlaneFile:
    """The planes of a pyramid in a folder. Safe to use from any number of threads; `Shelf` says what the methods do."""

    full = False  # room was made for all of them, and a full disk is an error

    def __init__(self, folder: Path, planes: int, others: int, write: bool) -> None:
        """Open the planes in `folder`; each tile has `planes` values and `others` more.

        With `write` the files are made, or continued, and `put` adds to them; without, they must be whole and `put`
        does nothing. Raises Unreadable for damaged files, OSError.
        """
        self._folder, self._planes, self._each = folder, planes, planes + others
        self._lock = threading.Lock()  # of what is known; never held while the disk is written
        self._disk = threading.Lock()
        self._waiting: dict[TileKey, Kept] = {}
        self._leaving: dict[TileKey, Kept] = {}  # being written
        self._waiting_bytes = 0
        self._writes = write
        self.whole = not write
        self.levels: tuple[LevelValues, ...] | None = None if write else read_levels(folder / LEVELS)
        flags = (os.O_RDWR | os.O_CREAT if write else os.O_RDONLY) | os.O_CLOEXEC
        self._payloads = os.open(folder / PAYLOADS, flags, 0o600)
        try:
            self._index = os.open(folder / ENTRIES, flags, 0o600)
        except BaseException:
            os.close(self._payloads)
            raise
        self._closed = False
        self._load()

    @property
    def nbytes(self) -> int:
        """Bytes of memory: the entries, and what waits to be written."""
        return self._entries.nbytes + 150 * len(self._places) + self._waiting_bytes

    @property
    def size(self) -> int:
        """Bytes of the payloads written."""
        return self._end

    def __len__(self) -> int:
        with self._lock:
            return len(self._places) + len(self._waiting) + len(self._leaving)

    def get(self, tile: TileKey) -> Kept | None:
        """The planes of a tile. Raises Unreadable if they are not what was written."""
        with self._lock:
            kept, first = self._waiting.get(tile) or self._leaving.get(tile), self._places.get(tile)
            entries = self._entries
        if kept is not None or first is None:
            return kept
        planes = [self._read(entries[k]) for k in range(first, first + self._each)]
        return Kept(tuple(planes[: self._planes]), tuple(planes[self._planes :]))

    def put(self, tile: TileKey, kept: Kept) -> None:
        """Keep the planes of a tile. Raises OSError, of a full disk for one."""
        with self._lock:
            if (
                not self._writes
                or not kept.values
                or any(tile in held for held in (self._places, self._waiting, self._leaving))
            ):
                return
            self._waiting[tile] = kept
            self._waiting_bytes += kept.nbytes
            full = self._waiting_bytes >= _FLUSH
        if full:
            self._write()

    def put_levels(self, levels: tuple[LevelValues, ...]) -> None:
        """Keep the values of the cells of each level. Raises OSError."""
        write_levels(self._folder / LEVELS, levels)
        self.levels = levels

    def flush(self) -> None:
        """Write what waits, and bring all of it to the disk."""
        self._write()
        os.fsync(self._payloads)
        os.fsync(self._index)

    def finish(self) -> None:
        """Write what waits; from now on nothing is added."""
        self.flush()
        self._writes, self.whole = False, True

    def close(self) -> None:
        """Close the files; what waits is lost."""
        if not self._closed:
            self._closed = True
            os.close(self._payloads)
            os.close(self._index)

    def __del__(self) -> None:
        if hasattr(self, "_closed"):
            self.close()

    def _load(self) -> None:
        size = os.fstat(self._index).st_size
        data = _read_all(self._index, size // _ENTRY.itemsize * _ENTRY.itemsize)
        self._entries: Entries = np.frombuffer(data, _ENTRY)
        sums = np.empty(len(self._entries), np.uint64)
        _sum_entries(frozen(np.frombuffer(data, np.uint64)), sums)
        good = sums == self._entries["entry"]
        if not self._writes and not (good.all() and size % _ENTRY.itemsize == 0 and len(good) % self._each == 0):
            raise self._damaged(ENTRIES, int(np.argmin(good)) * _ENTRY.itemsize if len(good) else 0)
        whole = len(good) if good.all() else int(np.argmin(good))
        self._entries = self._entries[: whole // self._each * self._each]
        if self._writes:
            self._drop_lost()
        heads = self._entries[:: self._each]
        names = zip(*(heads[name].tolist() for name in ("zx", "zy", "i", "j")), strict=True)
        self._places = {TileKey(*name): k * self._each for k, name in enumerate(names)}
        ends = self._entries["offset"] + self._entries["length"]
        self._end = int(ends.max()) if len(ends) else 0
        if os.fstat(self._payloads).st_size < self._end:
            raise self._damaged(PAYLOADS, os.fstat(self._payloads).st_size)

    def _drop_lost(self) -> None:
        """Forget the tiles from the first on whose payloads are not there as they were written."""
        for k in range(len(self._entries)):
            try:
                self._read(self._entries[k])
            except Unreadable:
                self._entries = self._entries[: k // self._each * self._each]
                break
        os.ftruncate(self._index, len(self._entries) * _ENTRY.itemsize)

    def _read(self, entry: Any) -> EncodedPlane:
        length, offset = int(entry["length"]), int(entry["offset"])
        payload = os.pread(self._payloads, length, offset) if length else b""
        if len(payload) != length or checksum(payload) != int(entry["payload"]):
            raise self._damaged(PAYLOADS, offset)
        return EncodedPlane(
            Codec(int(entry["codec"])),
            int(entry["dtype"]),
            int(entry["plane"]),
            int(entry["filled"]),
            float(entry["low"]),
            float(entry["high"]),
            entry["constant"].tobytes(),
            payload,
        )

    def _write(self) -> None:
        """Write what waits: payloads, then entries."""
        with self._disk:
            with self._lock:
                self._leaving, self._waiting, self._waiting_bytes = self._waiting, {}, 0
            if not self._leaving:
                return
            entries, payloads, start = self._packed(self._leaving)
            _write_all(self._payloads, payloads, start)
            _write_all(self._index, entries.tobytes(), self._entries.nbytes)
            with self._lock:
                first = len(self._entries)
                self._entries = np.concatenate([self._entries, entries])
                self._places.update({tile: first + k * self._each for k, tile in enumerate(self._leaving)})
                self._leaving = {}
                self._end = start + len(payloads)

    def _packed(self, tiles: dict[TileKey, Kept]) -> tuple[Entries, bytes, int]:
        """The entries and payloads of tiles, and where the payloads go."""
        entries = np.zeros(len(tiles) * self._each, _ENTRY)
        parts: list[bytes] = []
        at = start = -(-self._end // 8) * 8
        planes = [(tile, *pair) for tile, kept in tiles.items() for pair in enumerate((*kept.values, *kept.others))]
        for k, (tile, number, plane) in enumerate(planes):
            size = len(plane.payload)
            padding = -size % 8
            entries[k] = (
                *(tile.zx, tile.zy, plane.codec, plane.dtype, plane.plane, number, tile.i, tile.j, plane.filled),
                *(size, at, plane.low, plane.high, plane.constant, checksum(plane.payload), 0),
            )
            parts += [plane.payload, bytes(padding)]
            at += size + padding
        sums = np.empty(len(entries), np.uint64)
        _sum_entries(frozen(entries.view(np.uint64)), sums)
        entries["entry"] = sums
        return entries, b"".join(parts), start

    def _damaged(self, name: str, at: int) -> Unreadable:
        path = self._folder / name
        return Unreadable(f"{path} is damaged at byte {at:,}: it is not what was written", None, str(path))


def _read_all(descriptor: int, size: int) -> bytes:
    parts, at = [], 0
    while at < size:
        part = os.pread(descriptor, min(size - at, 1 << 26), at)
        if not part:
            break
        parts.append(part)
        at += len(part)
    data = b"".join(parts)
    return data[: len(data) // _ENTRY.itemsize * _ENTRY.itemsize]


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        done = os.pwrite(descriptor, view, at)
        view, at = view[done:], at + done


@jit
def _sum_entries(words: npt.NDArray[Any], sums: npt.NDArray[Any]) -> None:
    """The sum of each entry without its last word."""
    for k in range(sums.size):
        sums[k] = span_sum(words, _NO_BYTES, k * _WORDS, (k + 1) * _WORDS - 1)


_NO_BYTES: Final = frozen(np.empty(0, np.uint8))
