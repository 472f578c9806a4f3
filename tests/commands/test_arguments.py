"""What the command line's paths are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bigviz.commands.arguments import named_paths, named_script
from bigviz.common.errors import BadInput, NotFound


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "trips.parquet",
        "a/trips.parquet",
        "year=2024/x.parquet",
        "odd=name.parquet",
        "app.py",
        "metrics.parquet",
        "deep/er/down/y.parquet",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["trips.parquet"], ["trips"]),
        (["trips.parquet", "a/trips.parquet", "./trips.parquet"], ["trips", "trips-2", "trips-3"]),
        (["a/trips.parquet", "trips=trips.parquet"], ["trips-2", "trips"]),
        (["My trips=trips.parquet"], ["My trips"]),
        (["year=2024"], ["data"]),
        (["year=2024/x.parquet"], ["x"]),
        (["odd=name.parquet"], ["data"]),
        (["x=odd=name.parquet"], ["x"]),
        (["*.parquet"], ["data"]),
        (["a/*.parquet", "t*.parquet"], ["a", "t"]),
        (["metrics.parquet"], ["data"]),
        (["deep/**/*.parquet"], ["deep"]),
    ],
)
def test_names(folder: Path, arguments, names):
    found = named_paths(arguments)
    assert [name for name, _ in found] == names
    assert all(path in argument for (_, path), argument in zip(found, arguments, strict=True))


def test_the_directory_one_is_in(folder: Path):
    assert named_paths(["."]) == [(folder.name, ".")]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (["nope.parquet"], NotFound, "nothing at nope.parquet"),
        (["tripz.parquet"], NotFound, "nothing at tripz.parquet. Did you mean trips.parquet?"),
        (["trips.parquet", "nope-*.parquet"], NotFound, "nothing at nope"),
        (["a/b=trips.parquet"], NotFound, "nothing at a/b=trips"),
        (["metrics=trips.parquet"], BadInput, "address of the server itself"),
        (["a b =trips.parquet"], BadInput, "no space at its ends"),
        (["a=trips.parquet", "a=a/trips.parquet"], BadInput, "given to two paths"),
        ([""], NotFound, "nothing at"),
        (["ftp://example.org/t.parquet"], BadInput, "no addresses that begin with ftp://"),
        (["s3://key:secret@bucket/t.parquet"], BadInput, "holds no user or password"),
        (["https://example.org/app.py"], BadInput, "scripts are run from this machine only"),
    ],
)
def test_mistakes(folder: Path, arguments, error, match):
    with pytest.raises(error, match=match):
        named_paths(arguments)


def test_an_address_is_taken_as_it_is_and_named_without_what_is_secret():
    arguments = ["s3://bucket/trips/*.parquet", "s3://bucket/year=2024/a.parquet", "t=gs://bucket/x",
                 "https://me:secret@h/b.parquet?sig=secret", "s3://bucket/"]  # fmt: skip
    found = named_paths(arguments)
    assert [name for name, _ in found] == ["trips", "a", "t", "b", "bucket"]
    assert [path for _, path in found] == [each.removeprefix("t=") for each in arguments]


def test_scripts(folder: Path):
    assert named_script(["trips.parquet"]) is None
    assert named_script(["app.py"]) == ("app", "app.py")
    assert named_script(["./app.py"]) == ("app", "./app.py")
    assert named_script(["my app=app.py"]) == ("my app", "app.py")
    with pytest.raises(BadInput, match="served alone"):
        named_script(["app.py", "trips.parquet"])
    with pytest.raises(NotFound, match="no script"):
        named_script(["nope.py"])


def test_a_script_below_a_directory_with_an_equals_sign_is_not_a_named_one(folder: Path):
    (folder / "seed=3").mkdir()
    (folder / "seed=3" / "app.py").touch()
    assert named_script(["seed=3/app.py"]) == ("app", "seed=3/app.py")
    assert named_script(["runs=seed=3/app.py"]) == ("runs", "seed=3/app.py")
