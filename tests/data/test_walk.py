"""Links, loops and what cannot be listed: nothing is left out in silence."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pds
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data import walk
from bigviz.data.open import open as open_table
from bigviz.data.paths import find_files


def write(path: Path, rows: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"x": np.arange(float(rows))}), path)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Three rows, and five on another disk that a link leads to."""
    write(tmp_path / "lake/year=2023/a.parquet", 3)
    write(tmp_path / "disk2/year=2024/a.parquet", 5)
    (tmp_path / "lake/year=2024").symlink_to(tmp_path / "disk2/year=2024")
    return tmp_path / "lake"


def test_linked_directories_belong_to_the_table(lake: Path) -> None:
    right = pds.dataset(lake, partitioning="hive").count_rows()
    for source in (f"{lake}", f"{lake}/*", f"{lake}/**", f"{lake}/*/*.parquet", f"{lake}/**/*.parquet"):
        dataset = open_table(source)
        assert dataset.num_rows == right == 8 and dataset.notes == ()
    assert open_table(lake).column("year").values.tolist() == [2023] * 3 + [2024] * 5


def test_loops_end_and_are_told_of(lake: Path) -> None:
    """Python's own glob never comes back from `**` over two loops."""
    for name in ("again", "year=2023/up", "year=2023/here"):
        (lake / name).symlink_to(lake)
    for source in (f"{lake}", f"{lake}/**", f"{lake}/**/*.parquet", f"{lake}/**/**/*.parquet"):
        dataset = open_table(source)
        assert dataset.num_rows == 8
        assert [note.split(" is a link to")[0] for note in dataset.notes] == [
            "again",
            "year=2023/here",
            "year=2023/up",
        ]


def test_a_second_way_to_the_same_files_is_told_of(lake: Path) -> None:
    (lake / "year=2025").symlink_to("year=2023")
    dataset = open_table(lake)
    assert dataset.num_rows == 11
    (note,) = dataset.notes
    assert note == "year=2025/a.parquet is the same file as year=2023/a.parquet: its rows count twice."
    (lake / "year=2026").symlink_to("year=2024")
    assert "2 files, such as " in open_table(lake).notes[0]


def test_links_that_lead_nowhere(lake: Path) -> None:
    (lake / "LATEST").symlink_to("gone")
    (lake / "loop").symlink_to("loop")
    dataset = open_table(lake)
    assert dataset.num_rows == 8
    assert dataset.notes == ("LATEST is a link that leads nowhere.", "loop is a link that leads nowhere.")
    (lake / "year=2022").symlink_to("/mnt/not-mounted/year=2022")
    with pytest.raises(Unreadable, match=r"year=2022 is a link to /mnt/not-mounted.*would lack its rows"):
        open_table(lake)


@pytest.mark.parametrize("what", ["{}", "{}/**", "{}/**/*.parquet", "{}/*/*.parquet"])
def test_a_directory_that_may_not_be_read(lake: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rights themselves do not hold root back, whom tests may run as."""
    original = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("year=2024"):
            raise PermissionError(13, "Permission denied", path)
        return original(path)

    monkeypatch.setattr(walk.os, "scandir", scandir)
    with pytest.raises(Unreadable, match=r"The directory .*year=2024 cannot be read: permission denied"):
        open_table(what.format(lake))


@pytest.mark.parametrize("pattern", ["*/*.parquet", "*", "*/*", "year=*/a.parquet", "**/*.parquet"])
def test_a_pattern_that_meets_a_partition_that_is_not_there(lake: Path, pattern: str) -> None:
    (lake / "LATEST").symlink_to("gone")
    assert open_table(f"{lake}/{pattern}").num_rows == 8
    (lake / "year=2022").symlink_to("/mnt/not-mounted/year=2022")
    with pytest.raises(Unreadable, match=r"year=2022 is a link to /mnt/not-mounted.*would lack its rows"):
        open_table(f"{lake}/{pattern}")


@pytest.mark.parametrize("pattern", ["*/*.parquet", "*/a.parquet", "year=2024/a*", "**/a.parquet", "."])
def test_a_directory_that_may_not_be_entered(lake: Path, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`os.path.exists` is false of all that lies in it."""
    for name in ("stat", "lstat"):

        def look(path: object, original: object = getattr(os, name), **options: object) -> object:
            if "year=2024/" in os.fspath(path):  # type: ignore[call-overload]
                raise PermissionError(13, "Permission denied", path)
            return original(path, **options)  # type: ignore[operator]

        monkeypatch.setattr(os, name, look)
    monkeypatch.setattr(os, "open", look_out(os.open))
    with pytest.raises(Unreadable, match=r"year=2024.*permission denied"):
        open_table(f"{lake}/{pattern}")


def look_out(original: object) -> object:
    """`os.open` that may not enter the partition."""

    def open_(path: object, *words: object, **options: object) -> object:
        if "year=2024/" in str(path):
            raise PermissionError(13, "Permission denied", path)
        return original(path, *words, **options)  # type: ignore[operator]

    return open_


def test_what_fsck_keeps_is_no_part_of_a_table(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(lake / "lost+found/a.parquet", 1)
    write(lake / "_temporary/year=0/a.parquet", 1)
    for source in (f"{lake}", f"{lake}/*", f"{lake}/**", f"{lake}/**/*.parquet"):
        assert open_table(source).num_rows == 8


def test_more_directories_than_the_limit(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_FILES", 2)
    with pytest.raises(TooLarge, match="more than 2 directories"):
        find_files(str(lake))


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*/*",
        "**",
        "**/*",
        "**/b",
        "a/**",
        "a/**/b",
        "**/**",
        "**/a/**",
        "[ab]",
        "a/?",
        "a*/b*",
        "./*",
        "a/../*",
        "c/*",
    ],
)
def test_a_glob_finds_what_python_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    for name in ("a/a/a", "a/b/c", "a/b/.h", "b/d", "c", "ab/ba", ".hid/b"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    for prefix in ("", f"{tmp_path}/"):
        wanted = {os.path.normpath(path) for path in glob.glob(prefix + pattern, recursive=True) if path}
        found = [os.path.normpath(path) for path in walk.expand(prefix + pattern, [])]
        assert set(found) == {path for path in wanted if path != "."} | ({"."} & set(found))
        assert len(found) == len(set(found))
