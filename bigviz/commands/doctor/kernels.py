"""Whether compiled kernels are kept, so that only the first start pays for the compiler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bigviz.commands.doctor.finding import Finding
from bigviz.common import jit

__all__ = ["kept", "kernels"]

_PACKAGE = Path(jit.__file__).parents[1]


def kernels() -> Iterator[Finding]:
    """Those of this installation."""
    directory = jit.cache_directory()
    yield kept(None if directory is None else Path(directory))


def kept(directory: Path | None) -> Finding:
    """What is known of the directory in which numba keeps one module's kernels; None where it found none that can be
    written to. Those of other modules are beside it, or in the package's other directories."""
    if directory is None:
        remedy = "Set NUMBA_CACHE_DIR to a directory that can be written to: every start compiles until then."
        return Finding("kernels", "cache", "nowhere to be kept", "note", remedy)
    in_package = directory.name == "__pycache__"
    found = _PACKAGE.glob("**/*.nbi") if in_package else directory.parent.glob("*/*.nbi")
    count, place = sum(1 for _ in found), _PACKAGE if in_package else directory.parent
    if count:
        return Finding("kernels", "cache", f"{count:,} compiled, in {place}")
    remedy = "The first start compiles, for some 10 s, and keeps the result: `bigviz demo` does it."
    return Finding("kernels", "cache", f"none compiled yet, they go to {place}", "note", remedy)
