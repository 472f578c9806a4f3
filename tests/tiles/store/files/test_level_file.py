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
