"""What a figure was measured on: cores, memory, versions; and what the disk can do."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np

from bench.peers.process import ADAPTERS, pins
from bigviz.commands.bench.report import machine

__all__ = ["bytes_read", "describe", "drop_cached", "fill_cache", "write_rate"]

MIB = 1 << 20


def describe() -> dict[str, str]:
    """Name -> value, in the order in which a report prints them."""
    facts = machine() | {"speed": _speed()} | {name: pins(name)[0].partition("==")[2] for name in ADAPTERS}
    here = Path(__file__).parent
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True)
    return facts | ({"commit": commit.stdout.strip()} if commit.returncode == 0 else {})


def _speed() -> str:
    """How fast this machine is now, in words: shared ones differ by more than two from hour to hour."""
    start = time.perf_counter()
    for _ in range(5_000_000):
        pass
    step = (time.perf_counter() - start) / 5_000_000
    block = np.zeros(32 * MIB, np.uint64)
    block.sum()
    start = time.perf_counter()
    block.sum()
    return f"{step * 1e9:.0f} ns a step of a Python loop, {block.nbytes / 1e9 / (time.perf_counter() - start):.0f} GB/s"


def write_rate(folder: Path, mib: int = 1024) -> float:
    """MB a second of writing a file of `mib` MiB in a folder, brought to the disk."""
    block = os.urandom(16 * MIB)
    path = folder / "rate.tmp"
    try:
        start = time.perf_counter()
        with path.open("wb", buffering=0) as file:
            for _ in range(mib // 16):
                file.write(block)
            os.fsync(file.fileno())
        return mib * MIB / 1e6 / (time.perf_counter() - start)
    finally:
        path.unlink(missing_ok=True)


def bytes_read() -> int:
    """Bytes that this process has had read from the disk so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes"))


def fill_cache(folder: Path) -> None:
    """Read a folder's files once, so that the system caches what fits of them."""
    buffer = bytearray(1 << 24)
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass


def drop_cached(folder: Path) -> None:
    """Ask the system to forget what it caches of a folder's files; what a process has mapped stays."""
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
