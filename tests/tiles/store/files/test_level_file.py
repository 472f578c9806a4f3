"""Values of levels on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bigviz.common.errors import Unreadable
from bigviz.render.level_values import LevelValues
from bigviz.tiles.store.files.level_file import LEVELS, read_levels, write_levels

NOTHING = LevelValues(np.empty(0), np.empty(0, np.int64))


@pytest.mark.parametrize("dtype", ["float64", "int64", "uint64"])
def test_what_is_written_is_read(tmp_path: Path, dtype: str) -> None:
    some = LevelValues(np.array([0, 2**63 - 1], dtype), np.array([0, 7]))
    for levels in ((some, *[NOTHING] * 23, some), (NOTHING,) * 25):
        write_levels(tmp_path / LEVELS, levels)
        again = read_levels(tmp_path / LEVELS)
        assert again is not None and len(again) == 25
        for one, other in zip(levels, again, strict=True):
            assert one.values.tolist() == other.values.tolist() and one.weights.tolist() == other.weights.tolist()
            assert not len(one.values) or one.values.dtype == other.values.dtype


def test_an_older_store_has_none_and_another_file_is_refused(tmp_path: Path) -> None:
    assert read_levels(tmp_path / LEVELS) is None
    (tmp_path / LEVELS).write_bytes(b"ARROW1" * 9)
    with pytest.raises(Unreadable, match="is damaged"):
        read_levels(tmp_path / LEVELS)


def test_damage_is_told_of_wherever_it_is(tmp_path: Path) -> None:
    """Bytes that zstd does not take are an OSError of Arrow, which is no failure of the disk."""
    path, rng = tmp_path / LEVELS, np.random.default_rng(5)
    level = LevelValues(rng.normal(size=2_000), np.ones(2_000, np.int64))
    write_levels(path, (level,) * 25)
    whole, refused = path.read_bytes(), 0
    for at in range(len(whole) // 16, len(whole), len(whole) // 16):
        for damaged in (whole[:at], whole[:at] + bytes(64) + whole[at + 64 :]):
            path.write_bytes(damaged)
            try:
                read_levels(path)
            except Unreadable as error:
                refused += str(path) in str(error)
    assert refused > 20
