"""What every kernel is compiled with."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import CompileResultCacheImpl

from bigviz.common.disk.turn import turn
from bigviz.common.jit import frozen, jit, tell_of_compiling, told_of_compiling

from ..patience import PATIENCE


@jit
def _divide(values: np.ndarray, by: float) -> float:
    return float(values[0] / by)


def test_options() -> None:
    options = _divide.targetoptions  # type: ignore[attr-defined]
    assert options["nogil"] and options["nopython"] and not options.get("parallel") and not options.get("fastmath")
    assert _divide(np.ones(1), 0.0) == np.inf


def test_frozen_arrays_share_one_machine_code() -> None:
    writable, fixed = np.ones(3), np.ones(3)
    fixed.flags.writeable = False
    before = len(_divide.signatures)  # type: ignore[attr-defined]
    _divide(frozen(writable), 1.0)
    _divide(frozen(fixed), 1.0)
    assert len(_divide.signatures) == before + 1  # type: ignore[attr-defined]
    assert writable.flags.writeable and np.shares_memory(frozen(writable), writable)


def test_kernels_run_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])

    def double(value: float) -> float:
        return 2 * value

    assert jit(double)(1.5) == 3.0


def test_compiling_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])

    def double(value: float) -> float:
        return 2 * value

    kernel, told = jit(double), list[str]()
    for name, values in (("floats", (1.5, 2.5)), ("again", (1.5, 2.5)), ("others", (1, np.float32(1)))):
        with told_of_compiling(partial(told.append, name)):
            for value in values:
                kernel(value)
    assert told == ["floats", "others"]


def test_the_next_to_be_compiled_is_told_to_who_asked_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])

    def half(value: float) -> float:
        return value / 2

    kernel, told = jit(half), list[str]()
    tell_of_compiling(partial(told.append, "first"))
    tell_of_compiling(partial(told.append, "last"))
    for value in (1.5, 1, np.float32(1)):
        kernel(value)
    assert told == ["last"]


TWICE = """
import sys
import bigviz.common.jit
from bigviz.common.jit import jit, told_of_compiling

bigviz.common.jit._PATIENCE = float("inf")

@jit
def double(value):
    return 2 * value if value < 8 else double(value - 1)

compiled = []
print("ready", flush=True)
sys.stdin.readline()
with told_of_compiling(lambda: compiled.append(1)):
    print(double(1.5), len(compiled))
"""


def test_of_processes_that_need_a_kernel_at_once_one_compiles_it(tmp_path: Path) -> None:
    """One that needs what is compiled already does not wait for another, which may compile it for other types."""
    (tmp_path / "twice.py").write_text(TWICE)
    command, kept = [sys.executable, str(tmp_path / "twice.py")], {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=kept, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=PATIENCE)[0].split() for process in processes]
    assert [result for result, _ in said] == ["3.0", "3.0"]
    assert sorted(compiled for _, compiled in said) == ["0", "1"]
    (turns,) = tmp_path.rglob("*double.turn")
    with turn(turns, PATIENCE):
        done = subprocess.run(command, env=kept, input="\n", capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.split() == ["ready", "3.0", "0"]
