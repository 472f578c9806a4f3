"""Processor time of a process and of all that it has started, by what they are, from /proc."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["spent_since", "times_of"]

_TICK: Final = os.sysconf("SC_CLK_TCK")
_TYPE: Final = re.compile(r"--type=([\w-]+)")
_SUB_TYPE: Final = re.compile(r"--utility-sub-type=([\w.]+)")


def times_of(root: int) -> dict[int, tuple[str, float]]:
    """The name and the seconds so far of each process under `root`, and of itself."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for path in Path("/proc").iterdir():
        if not path.name.isdecimal():
            continue
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        pid = int(path.name)
        children.setdefault(int(fields[1]), []).append(pid)
        seconds[pid] = (int(fields[11]) + int(fields[12])) / _TICK
    found, todo = {}, [root]
    while todo:
        pid = todo.pop()
        todo += children.get(pid, [])
        if pid in seconds:
            found[pid] = "script" if pid == root else _name(pid), seconds[pid]
    return found


def spent_since(before: dict[int, tuple[str, float]], root: int) -> dict[str, float]:
    """Seconds by name since `times_of`."""
    spent: dict[str, float] = {}
    for pid, (name, seconds) in times_of(root).items():
        spent[name] = spent.get(name, 0.0) + seconds - before.get(pid, ("", 0.0))[1]
    return spent


def _name(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "ended"
    if found := _SUB_TYPE.search(command):
        return found[1].split(".")[0]
    if found := _TYPE.search(command):
        return found[1]
    if "bigviz serve" in command:
        return "server"
    if "chrom" in command.split(" ")[0]:
        return "browser"
    return "driver" if "playwright" in command else command.split(" ")[0].rpartition("/")[2]
