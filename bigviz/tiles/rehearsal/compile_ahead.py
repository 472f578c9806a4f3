"""Kernels are compiled by a process of low priority, once on a machine and after each upgrade.

Compiling takes the interpreter's lock for many seconds, in which a server would answer late. What that process leaves
on the disk is loaded in a moment.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import llvmlite.binding
import numba

import bigviz
from bigviz.common.cancel import Cancel
from bigviz.common.jit import cache_directory, say_compiling
from bigviz.common.memory import available_memory
from bigviz.common.process.environment import child_environment
from bigviz.tiles.rehearsal.table_types import TableTypes

__all__ = ["compile_ahead"]

_NEEDS: Final = 1 << 30  # bytes of memory that are free, for a process beside this one
_LONGEST: Final = 600.0  # seconds that it may take
_LOOK: Final = 0.2


def compile_ahead(types: TableTypes, cancel: Cancel) -> None:
    """Let another process rehearse what none has rehearsed on this machine, and wait for it; nothing happens where
    kernels cannot be kept, or memory is short. Raises Cancelled."""
    place, asked = cache_directory(), types.to_json()
    if place is None or available_memory() < _NEEDS:
        return
    done = Path(place) / f"rehearsed-{_digest(asked)}"
    if done.exists():
        return
    say_compiling()
    with tempfile.TemporaryDirectory(prefix="bigviz-rehearsal-") as folder:
        if _rehearsed(asked, folder, cancel):
            with suppress(OSError):
                done.touch()


def _rehearsed(asked: str, folder: str, cancel: Cancel) -> bool:
    """Whether another process, whose temporary files are in a folder, has rehearsed everything: one that is killed
    leaves some there. Raises Cancelled."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bigviz.tiles.rehearsal"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        env={**child_environment(), "TMPDIR": folder}, start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    end = time.monotonic() + _LONGEST
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(f"{asked}\n")
            process.stdin.flush()
        while process.poll() is None and time.monotonic() < end:
            cancel.check()
            time.sleep(_LOOK)
        return process.poll() == 0
    finally:
        process.kill()
        process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()


def _digest(asked: str) -> str:
    """A name for what was asked of this version of bigviz's kernels, of numba, and of this processor."""
    found = hashlib.blake2b(
        f"{asked} {numba.__version__} {llvmlite.binding.get_host_cpu_name()}".encode(), digest_size=16
    )
    for file in sorted(Path(bigviz.__file__).parent.rglob("*.py")):
        stat = file.stat()
        found.update(f"{file} {stat.st_mtime_ns} {stat.st_size}".encode())
    return found.hexdigest()
