"""The values of the cells of each level of a pyramid as an Arrow file: a row for each value."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from bigviz.common.errors import Unreadable
from bigviz.render.level_values import LevelValues
from bigviz.tiles.grid.tile_key import DEEPEST

__all__ = ["LEVELS", "read_levels", "write_levels"]

LEVELS: Final = "levels.arrow"
_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="zstd")  # deep levels are alike: a tenth of the bytes
_NAMES: Final = ["level", "value", "cells"]


def write_levels(path: Path, levels: tuple[LevelValues, ...]) -> None:
    """Write the values of the levels from 0 on, and bring them to the disk. Raises OSError."""
    sizes = [len(level.values) for level in levels]
    filled = [level for level in levels if len(level.values)] or list(levels[:1])
    numbers = np.repeat(np.arange(len(levels), dtype=np.uint8), sizes)
    arrays = [numbers, *(np.concatenate(each) for each in zip(*filled, strict=True))]
    with path.open("wb") as file:
        batch = pa.record_batch([pa.array(array) for array in arrays], names=_NAMES)
        with pa.ipc.new_file(file, batch.schema, options=_OPTIONS) as writer:
            writer.write_batch(batch)
        file.flush()
        os.fsync(file.fileno())


def read_levels(path: Path) -> tuple[LevelValues, ...] | None:
    """What was written; None without a file. Raises Unreadable for a damaged file, OSError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        table = pa.ipc.open_file(data).read_all()
        numbers, values, cells = (table.column(name).to_numpy() for name in _NAMES)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:  # OSError: what was compressed is no more
        raise Unreadable(f"{path} is damaged: {error}", None, str(path)) from error
    bounds = np.searchsorted(numbers, np.arange(DEEPEST + 2))
    return tuple(LevelValues(values[low:high], cells[low:high]) for low, high in pairwise(bounds.tolist()))
