"""Versions of Python and of what bigviz needs, against what its metadata asks for."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from bigviz import __version__
from bigviz.commands.doctor.finding import Finding

__all__ = ["versions"]

_NEEDED = re.compile(r"([A-Za-z0-9._-]+)>=([0-9.]+)")


def versions() -> Iterator[Finding]:
    """Those of this installation."""
    yield Finding("versions", "bigviz", __version__)
    try:
        needed, python = requires("bigviz") or [], metadata("bigviz")["Requires-Python"] or ">=0"
    except PackageNotFoundError:
        yield Finding(
            "versions", "dependencies", "unknown", "note", "Install bigviz with pip, so that they are listed."
        )
        return
    yield from compared([f"Python{python}", *needed], _installed)


def compared(needed: Iterable[str], installed: Callable[[str], str | None]) -> Iterator[Finding]:
    """Each requirement without a condition ("numpy>=2.1"), and whether what is `installed` (None: nothing) meets it."""
    for text in needed:
        found = _NEEDED.fullmatch(text)
        if found is None:  # of an extra
            continue
        name, least = found.groups()
        has = installed(name)
        enough = has is not None and _numbers(has) >= _numbers(least)
        remedy = f"Install Python {least} or newer." if name == "Python" else f"pip install '{name}>={least}'"
        value = (has or "not installed") + ("" if enough else f", needs {least} or newer")
        yield Finding("versions", name, value, "ok" if enough else "problem", None if enough else remedy)


def _installed(name: str) -> str | None:
    if name == "Python":
        return platform.python_version()
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()
