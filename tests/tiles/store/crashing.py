"""Builds that are killed: run as a program, with a table, a directory for stores and a number of rounds.

Every call that changes the directory of stores is a moment to be killed at, before it and after it; a round forks a
child that kills itself there, looks at what is left, carries on, and compares.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory

CHANGES = (
    "open",
    "mkdir",
    "rename",
    "replace",
    "unlink",
    "rmdir",
    "fsync",
    "fdatasync",
    "write",
    "pwrite",
    "ftruncate",
)
STEPS = 3


def write(path: Path, dataset: Dataset, spec: OrderSpec, columns: Sequence[str], crew: Crew) -> Mapping[str, Any]:
    """Files of which each is written aside and then renamed: what is there by its name is whole."""
    for step in range(STEPS):
        if not (path / f"{step}.arrow").exists():
            crew.progress("writing", step / STEPS, step)
            descriptor = os.open(path / f"{step}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.write(descriptor, f"{step}".encode() * 1000)
            os.close(descriptor)
            os.rename(path / f"{step}.new", path / f"{step}.arrow")
    return {"rows": dataset.num_rows}


def counted(at: int, after: bool) -> Callable[[], int]:
    """Be killed at the call number `at`; returns how many there were so far."""
    calls = 0

    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            here, calls = calls, calls + 1
            if here == at and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            found = function(*arguments, **options)
            if here == at and after:
                os.kill(os.getpid(), signal.SIGKILL)
            return found

        return called

    for name in CHANGES:
        setattr(os, name, wrap(getattr(os, name)))
    return lambda: calls


def build(table: str, root: Path) -> Path:
    stores = StoreDirectory(root, 1 << 30, {"order": write}, lambda sentence: None)
    path = stores.build(open_dataset(table), OrderSpec("x", "y"))
    stores.close()
    return path


def killed(table: str, root: Path, at: int, after: bool) -> bool:
    """Whether a build was killed at its call number `at`, or had fewer."""
    child = os.fork()
    if child == 0:
        counted(at, after)
        build(table, root)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def is_whole(path: Path) -> bool:
    return all((path / f"{step}.arrow").read_bytes() == f"{step}".encode() * 1000 for step in range(STEPS))


def check(table: str, root: Path) -> str:
    """What a reader finds, and that a builder gets it whole in the end."""
    stores = StoreDirectory(root, 1 << 30, {"order": write}, lambda sentence: None)
    found = stores.find(open_dataset(table), OrderSpec("x", "y"))
    states = [entry.state for entry in stores.entries()]
    assert set(states) <= {"ready", "unfinished"} and len(states) <= 1, states
    assert found is None or is_whole(found)
    stores.close()
    path = build(table, root)
    assert is_whole(path)
    left = sorted(each.name for each in root.iterdir())
    assert left == [path.name, path.name + ".lock"], left
    return states[0] if states else "nothing"


def main() -> None:
    table, root = sys.argv[1], Path(sys.argv[2])
    seen: dict[str, int] = {}
    for after in (False, True):
        at = 0
        while killed(table, root, at, after):
            state = check(table, root)
            seen[state] = seen.get(state, 0) + 1
            shutil.rmtree(root)
            at += 1
        check(table, root)
        shutil.rmtree(root)
    print(*(f"{state}={count}" for state, count in sorted(seen.items())))


if __name__ == "__main__":
    main()
