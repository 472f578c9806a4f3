"""Kills a process at each step of writing a log's files anew, and prints what the next start finds:
`python -m tests.data.log_files.killing FOLDER`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bigviz.data.appending.log import AppendLog
from bigviz.data.log_files import rewritten

from ..appending.logs import NOW, entry, new, rows

APPENDS = 9
STEPS = ("open", "fsync", "replace", "unlink")


def main(folder: Path) -> None:
    rewritten.MANY, rewritten._FEWER = 4, 1
    whole = folder / "whole"
    log = new(whole, roll_bytes=2_000)
    for number in range(APPENDS):
        log.commit([entry([number], f"key {number}")], NOW)
    log.close()
    step = 1
    while True:
        there = folder / str(step)
        shutil.copytree(whole, there)
        killed = _killed(there, step)
        print(json.dumps(_found(there)))
        if not killed:
            return
        step += 1


def _killed(folder: Path, step: int) -> bool:
    """Write anew in a process of its own, which is killed before or after a system call; whether it was."""
    child = os.fork()
    if child == 0:
        log = AppendLog.open(folder, 1 + APPENDS, roll_bytes=1 << 30)
        left = [step]
        for name in STEPS:
            setattr(os, name, _counted(getattr(os, name), left))
        log.tidy()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _counted(call: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def counted(*values: Any, **named: Any) -> Any:
        _count(left)
        found = call(*values, **named)
        _count(left)
        return found

    return counted


def _count(left: list[int]) -> None:
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def _found(folder: Path) -> dict[str, Any]:
    log = AppendLog.open(folder, 1 + APPENDS, roll_bytes=1 << 30)
    again = log.commit([entry([number], f"key {number}") for number in range(APPENDS)], NOW)
    found = {
        "rows": rows(log),
        "receipts": [list(each) for each in again if isinstance(each, tuple)],
        "versions": [version for file in log.snapshot.files for version in file.batches.version],
        "left": sorted(path.name for path in folder.iterdir() if path.name.startswith(".")),
        "blocks": sum(len(file.batches.at) for file in log.snapshot.files),
    }
    log.close()
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
