"""Kernels are compiled by a process of low priority, once on a machine and after each upgrade.

Compiling takes the interpreter's lock for many seconds, in which a server would answer late. What that process leaves
on the disk is loaded in a moment.
"""

from __future__ import annotations

import hashlib
import logging
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
_MARKER: Final = "rehearsed-"
_MOST_MARKERS: Final = 256

_log = logging.getLogger("bigviz")


def compile_ahead(types: TableTypes, cancel: Cancel) -> None:
    """Let another process rehearse what none has rehearsed on this machine, and wait for it. Where that cannot be, the
    operator is told why: then it is this process that compiles. Raises Cancelled."""
    place = cache_directory()
    if place is None:
        _tell("there is no directory to keep them in that can be written to (NUMBA_CACHE_DIR names one)")
        return
    done = Path(place, _MARKER + _digest(types.shape()))
    if done.exists():
        _mark(done)
        return
    free = available_memory()
    if free < _NEEDS:
        _tell(f"{free / 1e9:.1f} GB of memory are free, and a process beside it needs {_NEEDS / 1e9:.1f} GB")
        return
    say_compiling()
    try:
        with tempfile.TemporaryDirectory(prefix="bigviz-rehearsal-") as folder:
            fault = _rehearsed(types.to_json(), folder, cancel)
    except OSError as error:
        fault = f"the process that compiles them cannot be started ({error.strerror})"
    if fault:
        _tell(fault)
    else:
        _mark(done)


def _tell(why: str) -> None:
    _log.warning("kernels are compiled by the server itself, whose answers may be late meanwhile: %s", why)


def _mark(done: Path) -> None:
    """Note what was rehearsed, or asked for again; of more than 256 notes the oldest are removed."""
    with suppress(OSError):
        done.touch()
        notes = {path: path.stat().st_mtime_ns for path in done.parent.glob(f"{_MARKER}*")}
        for path in sorted(notes, key=notes.__getitem__)[:-_MOST_MARKERS]:
            path.unlink(missing_ok=True)


def _rehearsed(asked: str, folder: str, cancel: Cancel) -> str:
    """Why another process, whose temporary files are in a folder, has not rehearsed everything; "" where it has. One
    that is killed leaves files there. Raises Cancelled."""
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
        return _fault(process.poll())
    finally:
        process.kill()
        process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()


def _fault(status: int | None) -> str:
    if status is None:
        return f"the process that compiles them has not ended within {_LONGEST:.0f} s"
    ended = f"was ended by signal {-status}" if status < 0 else f"has ended with status {status}"
    return f"the process that compiles them {ended}" if status else ""


def _digest(asked: str) -> str:
    """A name for what was asked of this version of bigviz's kernels, of numba, and of this processor."""
    found = hashlib.blake2b(
        f"{asked} {numba.__version__} {llvmlite.binding.get_host_cpu_name()}".encode(), digest_size=16
    )
    for file in sorted(Path(bigviz.__file__).parent.rglob("*.py")):
        stat = file.stat()
        found.update(f"{file} {stat.st_mtime_ns} {stat.st_size}".encode())
    return found.hexdigest()
