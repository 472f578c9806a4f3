"""`bigviz png`: files, sizes and errors. Pictures are compared with the page's in tests/browser/test_png.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from numba import njit
from PIL import Image

from bigviz.cli import cli
from bigviz.commands import png
from bigviz.commands.png import Look
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput

APP = """import bigviz as bv
one = bv.figure(title="One").points("t.parquet", "x", "y")
two = bv.figure(title="Two", x_range=one.x_range).line("t.parquet", "x", "y")
bv.document(bv.row(one, two), title="Both")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    x = np.arange(50.0)
    pq.write_table(pa.table({"x": x, "y": np.sin(x)}), "t.parquet")
    Path("app.py").write_text(APP)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["png", *arguments])
    return found.exit_code, found.output


def test_a_file_for_each_document(folder: Path) -> None:
    code, told = run("t.parquet", "app.py", "--size", "420x300", "--dpr", "1.5")
    assert code == 0, told
    assert "t.png: 630 x 450 pixels." in told
    for name in ("t.png", "app.png"):
        with Image.open(folder / name) as image:
            assert (image.size, image.mode) == ((630, 450), "RGB")
    assert sorted(path.name for path in folder.iterdir()) == ["app.png", "app.py", "t.parquet", "t.png"]


def test_a_view_and_a_theme(folder: Path) -> None:
    code, told = run("t.parquet", "-o", "dark.png", "--size", "400x300", "--view", "10,20", "--theme", "dark")
    assert code == 0, told
    with Image.open(folder / "dark.png") as image:
        assert image.getpixel((0, 0)) == (15, 18, 23)


def test_the_newest_part_of_x(folder: Path) -> None:
    plot = 'import bigviz as bv\nbv.document(bv.figure(title="t"{}).line("t.parquet", "x", "y"))'
    Path("plain.py").write_text(plot.format(""))
    Path("follow.py").write_text(plot.format(", follow=10"))
    size = ("--size", "400x300")
    for name, path, view in (
        ("all", "plain.py", ()),
        ("window", "plain.py", ("--view", "39.2,49.2")),
        ("asked", "plain.py", ("--view", "follow=10")),
        ("said", "follow.py", ()),
    ):
        code, told = run(path, *size, "-o", f"{name}.png", *view)
        assert code == 0, told
    pictures = {path.stem: np.asarray(Image.open(path)) for path in folder.glob("*.png")}
    assert np.array_equal(pictures["window"], pictures["asked"])
    assert np.array_equal(pictures["window"], pictures["said"])
    assert not np.array_equal(pictures["window"], pictures["all"])


def test_compiling_is_said_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(*_: object) -> np.ndarray:
        njit(lambda: 1)()
        return np.zeros((2, 2, 3), np.uint8)

    monkeypatch.setattr(png, "picture", drawn)
    code, told = run("t.parquet", "app.py")
    assert code == 0 and told.count("Compiling what draws") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", "wide"), "--size is a width and a height, as 1600x900; got 'wide'."),
        (("--size", "9000x9000"), "make --size or --dpr smaller"),
        (("--size", "40x30"), "make --size larger"),
        (("--dpr", "9"), "--dpr is 0.5 to 8, got 9."),
        (("--view", "1,2,3"), "X0,X1 or X0,X1,Y0,Y1"),
        (("--view", "zoom=3"), "got 'zoom'"),
        (("--view", "9,3"), "write the lower end first"),
        (("--view", "soon,later"), "2024-03-01T12:00"),
        (("--view", "follow=-1"), "follow is a number above 0"),
        (("--view", "cmap=plaid"), "cmap is one of"),
        (("--view", "x=z"), "no column 'z'"),
        (("-o", "none/here.png"), "none is no directory: make it"),
        (("-o", "here.jpg"), "The name of the file ends in .png, got 'here.jpg'."),
    ],
)
def test_errors_say_what_to_do(folder: Path, options: tuple[str, ...], words: str) -> None:
    code, told = run("t.parquet", *options)
    assert code != 0
    assert words in " ".join(told.split())
    assert sorted(path.name for path in folder.iterdir()) == ["app.py", "t.parquet"]


def test_a_name_that_is_nowhere(folder: Path) -> None:
    code, told = run("sales", "--library", "lib")
    assert code != 0
    assert "There is no file 'sales'" in " ".join(told.split())


def test_ctrl_c_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = Cancel()
    stopped.cancel()
    monkeypatch.setattr("bigviz.commands.interruptible.Cancel", lambda: stopped)
    code, told = run("t.parquet")
    assert (code, "t.png was not written" in told) == (130, True)
    assert not list(folder.glob("*png*"))


def test_sizes() -> None:
    assert Look.of(" 20 X 30", 1, None, "light").size == (20, 30)
    with pytest.raises(BadInput, match="0x30"):
        Look.of("0x30", 1, None, "light")
