"""What the files of an append log held that were removed after a rollover, and that is needed still.

It lies beside the files that are left, in `rolled`: 16 bytes `bigviz rolled 1\\n`, u64 sum (XXH64) of all that follows,
u64 bytes of a JSON object, the object, keys as `Keys.pack` gives them, the numbers of corrected rows, the corrected
values of each column as a patch, and what `Magnitudes.write` gives of each column's numbers in the rows of those files.
It is written whole before a file is removed. But for those numbers, it may tell of later records than those of the
files that are gone: reading these records again changes nothing.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from xxhash import xxh64_intdigest

from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.errors import Unreadable
from bigviz.data.appending.growth import Correction
from bigviz.data.appending.keys import Keys
from bigviz.data.appending.rollover import Clock
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.patches.corrections import Corrections, Patch, Run

__all__ = ["Rolled"]

_NAME: Final = "rolled"
_MAGIC: Final = b"bigviz rolled 1\n"
_HEAD: Final = struct.Struct("<16sQQ")


@dataclass(frozen=True)
class Rolled:
    """`number` is that of the first file that is left. `total` (of the heads of all records) and `clock` are as they
    were before its first record, and `gone` are the numbers of the rows before it, by column."""

    number: int = 0
    total: int = 0
    clock: Clock = field(default_factory=Clock)
    keys: Keys = field(default_factory=Keys)
    corrections: Corrections = field(default_factory=Corrections)
    gone: Mapping[str, Magnitudes] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path, tidy: bool = True) -> Rolled:
        """That of a log; that of a log of which nothing was removed. With `tidy`, for whoever writes it, what a crash
        left of one that was being written is removed. Raises Unreadable."""
        for left in folder.glob(f".{_NAME}.*") if tidy else ():
            left.unlink()
        path = folder / _NAME
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return cls()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unreadable(
                f"{path} cannot be read: {reason}. Let the server read it, or put a backup in its place.",
                "library",
                str(path),
            ) from error
        if len(data) < _HEAD.size or data[:16] != _MAGIC or _sum(data[24:]) != _HEAD.unpack_from(data)[1]:
            raise Unreadable(f"{path} is damaged: put a backup in its place.", "library", str(path))
        return cls._parsed(data)

    @classmethod
    def _parsed(cls, data: bytes) -> Rolled:
        at = _HEAD.size + _HEAD.unpack_from(data)[2]
        told = json.loads(data[_HEAD.size : at])

        def take(size: int) -> bytes:
            nonlocal at
            at += size
            return data[at - size : at]

        keys = Keys()
        keys.unpack(take(told["keys"]))
        corrections = [Correction(version, np.frombuffer(take(8 * rows), np.int64)) for version, rows in told["told"]]
        columns = {}
        for name, size in told["columns"]:
            patch = Patch.read(take(size))
            columns[name] = (Run(patch.rows, patch.columns[name]),)
        gone = {name: Magnitudes.read(dtype, take(size)) for name, dtype, size in told.get("gone", ())}
        clock = Clock(told["clock"], told["last"])
        return cls(told["number"], told["total"], clock, keys, Corrections(columns, tuple(corrections)), gone)

    def write(self, folder: Path) -> None:
        """Put it in the place of the one before. Raises BadInput where the disk takes no more."""
        columns = [(name, Patch(run.rows, {name: run.values}).write()) for name, (run,) in self._joined().items()]
        gone = [(name, *each.write()) for name, each in self.gone.items()]
        told = [(each.version, len(each.rows)) for each in self.corrections.told]
        keys = self.keys.pack()
        described = json.dumps(
            {
                "number": self.number,
                "total": self.total,
                "clock": self.clock.now,
                "last": self.clock.last,
                "keys": len(keys),
                "told": told,
                "columns": [(name, len(each)) for name, each in columns],
                "gone": [(name, dtype, len(each)) for name, dtype, each in gone],
            }
        ).encode()
        rows = [each.rows.tobytes() for each in self.corrections.told]
        rest = b"".join([described, keys, *rows, *(each for _, each in columns), *(each for *_, each in gone)])
        size = len(described).to_bytes(8, "little")
        with written_aside(folder / _NAME) as file:
            file.write(_MAGIC + _sum(size + rest).to_bytes(8, "little") + size)
            file.write(rest)

    def _joined(self) -> dict[str, tuple[Run, ...]]:
        return dict(self.corrections.joined(0).columns)


def _sum(data: bytes) -> int:
    return int(xxh64_intdigest(data))
