"""docs/tutorial.md: each command of each step is run in one directory; its scripts are those of examples/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .markdown import ROOT, listings
from .terminal import layers, run, serving

PAGE = ROOT / "docs" / "tutorial.md"
EXAMPLES = {path.name: path.read_text() for path in sorted((ROOT / "examples").glob("*.py"))}
COMMANDS = [line for each in listings(PAGE) if each.language == "sh" for line in each.text.splitlines()]
ROWS = 20_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's directory. Scripts take any free port there, and the sample is small."""
    made = tmp_path_factory.mktemp("tutorial")
    for name, text in EXAMPLES.items():
        (made / name).write_text(re.sub(r"^bv\.serve\((.*)\)$", r"bv.serve(\1, port=0)", text, flags=re.M))
    run(f"bigviz sample demo-data --rows {ROWS}", made)
    return made


def test_the_scripts_are_the_examples() -> None:
    assert [each.text for each in listings(PAGE) if each.language == "python"] == [
        EXAMPLES[name] for name in ("map.py", "series.py", "linked.py", "categories.py", "app.py", "tiles.py")
    ]
    assert len(EXAMPLES) == 7, "these, and the README's dashboard"


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("bigviz serve")])
def test_what_is_served_is_exact(command: str, folder: Path) -> None:
    if "--store-dir indexes" in command and not (folder / "indexes").exists():
        run("bigviz index demo-data/points.parquet --x x --y y --out indexes", folder)
    with serving(f"{command} --port 0 --no-browser", folder) as page:
        found = layers(page)
        assert all(each["index"] == "ready" and each["rows"] == ROWS for each in found)
        assert len(found) == (3 if "app.py" in command else 1)


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("python") and "tiles" not in each])
def test_a_script_serves_its_figures(command: str, folder: Path) -> None:
    with serving(command, folder) as page:
        found = layers(page)
        assert all(each["index"] == "ready" for each in found) and len(found) == (2 if "linked" in command else 1)


@pytest.mark.parametrize("command", [each for each in COMMANDS if re.match("bigviz (?!serve)", each)])
def test_a_command_ends_well(command: str, folder: Path) -> None:
    printed = run(command.replace("1000000", str(ROWS)), folder)
    assert re.search(r"points", printed)


def test_tiles_come_over_http(folder: Path) -> None:
    with serving("bigviz serve demo-data/points.parquet --port 0 --no-browser", folder) as page:
        script = EXAMPLES["tiles.py"].replace("http://127.0.0.1:5006/points/", page)
        (folder / "tiles.py").write_text(script)
        printed = run("python tiles.py", folder)
    assert f"{ROWS} rows" in printed and f"hold {ROWS} rows" in printed and "value" not in printed.splitlines()[0]
    assert (folder / "tile.png").read_bytes()[:4] == b"\x89PNG"


def test_every_command_is_run_here() -> None:
    run_here = re.compile(r"bigviz (serve|sample|info|index|bench) |python (map|series|linked|categories|tiles)\.py$")
    assert all(run_here.match(each) for each in COMMANDS) and len(COMMANDS) == 15
