"""Processes with those that they started, and the memory that each holds for itself."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final

__all__ = ["children", "held", "members"]

_OWN: Final = (b"Pss_Anon:", b"Pss_Shmem:")


def members(leaders: Collection[int]) -> dict[int, list[int]]:
    """Of each process that leads a session the processes of that session, and all that descend from one of them."""
    if not leaders:
        return {}
    places = {pid: place for name in os.listdir("/proc") if name.isdigit() and (place := _place(pid := int(name)))}
    found: dict[int, list[int]] = {pid: [] for pid in leaders}
    for pid in places:
        at, way = pid, set[int]()  # some of the numbers may be of newer processes: no way is gone twice
        while at not in leaders and at in places and at not in way:
            way.add(at)
            parent, session = places[at]
            at = session if session in leaders else parent
        if at in leaders:
            found[at].append(pid)
    return found


def children(parent: int) -> list[int]:
    """The pids of a process's children, as /proc has them now."""
    places = {pid: _place(pid) for name in os.listdir("/proc") if name.isdigit() and (pid := int(name))}
    return [pid for pid, place in places.items() if place is not None and place[0] == parent]


def _place(pid: int) -> tuple[int, int] | None:
    """A process's parent and session; None of one that is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            _, parent, _, session, *_ = stat.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(parent), int(session)


def held(pid: int) -> int:
    """Bytes of memory that are not of files; of those that processes share after a fork its part. 0 of a process that
    is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as lines:
            return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(_OWN))
    except OSError:
        return 0
