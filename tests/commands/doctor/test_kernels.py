"""Whether kernels are kept."""

from __future__ import annotations

from pathlib import Path

from bigviz.commands.doctor.kernels import kept, kernels


def test_none_compiled_some_compiled_and_nowhere(tmp_path: Path):
    directory = tmp_path / "common_0123"
    empty = kept(directory)
    assert empty.state == "note" and f"go to {tmp_path}" in empty.value
    directory.mkdir()
    (directory / "jit._nothing-50.py311.nbi").touch()
    full = kept(directory)
    assert full.state == "ok" and full.value == f"1 compiled, in {tmp_path}"
    nowhere = kept(None)
    assert nowhere.state == "note" and "NUMBA_CACHE_DIR" in str(nowhere.remedy)


def test_those_of_this_installation():
    (found,) = kernels()
    assert found.state != "problem"
