"""Which processes belong to one, and what they hold."""

from __future__ import annotations

import os
import subprocess
import sys

from bigviz.apps.process.group_memory import held, members

NESTED = """
import subprocess, sys, time
if sys.argv[1] != "0":
    more = ["-c", sys.argv[2], str(int(sys.argv[1]) - 1), sys.argv[2]]
    subprocess.Popen([sys.executable, *more], start_new_session=sys.argv[1] == "1")
print("there", flush=True)
time.sleep(1000)
"""


def test_a_session_and_all_that_descend_from_it_are_a_group():
    leader = subprocess.Popen(
        [sys.executable, "-c", NESTED, "2", NESTED], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert leader.stdout is not None
    try:
        assert [leader.stdout.readline() for _ in range(3)] == ["there\n"] * 3
        found = members([leader.pid, 1 << 30])
        assert found.keys() == {leader.pid, 1 << 30} and found[1 << 30] == []
        group = found[leader.pid]
        assert len(group) == 3 and leader.pid in group and os.getpid() not in group
        assert all(1 << 20 < held(pid) < 1 << 27 for pid in group)
    finally:
        for pid in members([leader.pid])[leader.pid]:
            os.kill(pid, 9)
        leader.wait()
        leader.stdout.close()
    assert members([]) == {} and held(leader.pid) == 0
