"""Kill -9 at every moment of a build, and two processes that want the same store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ...patience import PATIENCE

PROGRAM = Path(__file__).with_name("crashing.py")

BUILD = """
import os, sys, time
from pathlib import Path

sys.path.insert(0, os.path.dirname(sys.argv[1]))
import crashing
written = crashing.write
def write(path, *arguments):
    print("builds", flush=True)
    time.sleep(0.3)
    return written(path, *arguments)
crashing.write = write
print(crashing.build(sys.argv[2], Path(sys.argv[3])), flush=True)
"""


def test_killed_before_and_after_every_change_of_the_directory(table: Path, tmp_path: Path):
    ran = subprocess.run(
        [sys.executable, str(PROGRAM), str(table), str(tmp_path / "stores")],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen = dict(each.split("=") for each in ran.stdout.split())
    assert set(seen) == {"nothing", "unfinished", "ready"} and int(seen["unfinished"]) > 20


def test_of_two_processes_one_builds(table: Path, tmp_path: Path):
    command = [sys.executable, "-c", BUILD, str(PROGRAM), str(table), str(tmp_path / "stores")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=PATIENCE)[0].split() for process in processes]
    assert all(process.returncode == 0 for process in processes)
    assert sum("builds" in each for each in said) == 1 and len({each[-1] for each in said}) == 1


def test_who_waits_goes_on_with_what_a_killed_one_left(table: Path, tmp_path: Path):
    command = [sys.executable, "-c", BUILD.replace("0.3", "60"), str(PROGRAM), str(table), str(tmp_path / "stores")]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "builds\n"
    second = subprocess.Popen([*command[:2], BUILD, *command[3:]], stdout=subprocess.PIPE, text=True)
    first.kill()
    first.wait()
    first.stdout.close()
    said = second.communicate(timeout=PATIENCE)[0].split()
    assert said[0] == "builds" and (Path(said[-1]) / "manifest.json").exists()


def killed(home: Path, kind: str, rounds: int, seed: int) -> int:
    """Rounds of killing real builds in a process of its own; how many were killed."""
    ran = subprocess.run(
        [sys.executable, str(PROGRAM.with_name("killing.py")), str(home), kind, str(rounds), str(seed)],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout.split()[1])


@pytest.mark.parametrize("kind", ["order", "series"])
def test_real_builds_killed_at_random(tmp_path: Path, kind: str):
    assert killed(tmp_path, kind, 3, 0) >= 1


@pytest.mark.big
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", ["order", "series"])
def test_real_builds_killed_many_times(tmp_path: Path, kind: str, seed: int):
    assert killed(tmp_path, kind, 60, seed) > 30
