"""What a user may type for a path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bigviz.common.errors import BadInput, NotFound, TooLarge
from bigviz.data import paths
from bigviz.data.paths import find_files


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in (
        "trips-1.parquet",
        "trips-2.parquet",
        "other.csv.gz",
        "notes.md",
        "deep/er/a.arrow",
        "a[1].csv",
        ".hidden.csv",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "found", "name"),
    [
        ("trips-1.parquet", ["trips-1.parquet"], "trips-1"),
        ("notes.md", ["notes.md"], "notes"),
        ("other.csv.gz", ["other.csv.gz"], "other"),
        ("a[1].csv", ["a[1].csv"], "a[1]"),
        ("trips-*.parquet", ["trips-1.parquet", "trips-2.parquet"], "trips"),
        ("trips-[2-9].parquet", ["trips-2.parquet"], "trips"),
        ("deep", ["deep/er/a.arrow"], "deep"),
        ("deep/", ["deep/er/a.arrow"], "deep"),
        ("deep/*", ["deep/er/a.arrow"], "deep"),
        ("deep/**", ["deep/er/a.arrow"], "deep"),
        ("deep/*/a.arrow", ["deep/er/a.arrow"], "deep"),
        ("**/*.arrow", ["deep/er/a.arrow"], None),
        ("*", ["a[1].csv", "deep/er/a.arrow", "other.csv.gz", "trips-1.parquet", "trips-2.parquet"], None),
    ],
)
def test_found(root: Path, typed: str, found: list[str], name: str | None) -> None:
    files = find_files(typed)
    assert list(files.paths) == found
    assert files.name == (name or root.name)
    absolute = find_files(os.path.join(root, typed))
    assert [os.path.relpath(path, root) for path in absolute.paths] == found
    assert absolute.relative == files.relative


def test_the_home_directory(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root))
    assert find_files("~/trips-1.parquet").paths == (f"{root}/trips-1.parquet",)


@pytest.mark.parametrize(
    ("typed", "error", "words"),
    [
        ("trip-1.parquet", NotFound, r"Did you mean trips-1\.parquet\?"),
        ("trips-1.csv", NotFound, r"Did you mean trips-1\.parquet\?"),
        ("strip.csv", NotFound, "Check the path"),  # too little like one with another suffix
        ("lzg.parquet", NotFound, r"There is no file lzg\.parquet\. Check the path"),
        ("nowhere/t.parquet", NotFound, "its directory does not exist"),
        ("qqq", NotFound, "There is no file qqq"),
        ("*.feather", NotFound, r"No data file matches \*\.feather"),
        ("", NotFound, "There is no file"),
        ("a\0b", BadInput, "NUL"),
        ("s3://bucket/key.parquet", BadInput, "remote address"),
        ("HTTP://169.254.169.254/t.csv", BadInput, "remote address"),
    ],
)
def test_not_found(root: Path, typed: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        find_files(typed)


def test_too_many_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_FILES", 3)
    for typed in (".", "*"):
        with pytest.raises(TooLarge, match="more than 3 files"):
            find_files(typed)


def test_a_loop_of_links_ends(root: Path) -> None:
    (root / "deep" / "loop").symlink_to(root / "deep")
    assert find_files("deep").paths == ("deep/er/a.arrow",)
