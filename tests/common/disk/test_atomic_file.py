from __future__ import annotations

from pathlib import Path

import pytest

from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.errors import BadInput


@pytest.mark.parametrize("sync", [True, False])
def test_the_new_file_takes_the_place_of_the_old_one_at_the_end(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(b"old")
    with written_aside(path, sync) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), written_aside(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none" / "plot.png"
    with pytest.raises(BadInput) as caught, written_aside(path):
        pass
    assert caught.value.message == f"{path} cannot be written: no such file or directory."
