"""Noticing that a script, or a module that lies beside it, was changed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

__all__ = ["changes", "modules_below"]

Stamp = tuple[int, int]


async def changes(path: str, seconds: float = 0.5) -> AsyncIterator[None]:
    """Yield once for each time that the script's or its modules' size or time of change is another than before."""
    before = _stamps(path)
    while True:
        await asyncio.sleep(seconds)
        now = _stamps(path)
        if now != before:
            before = now
            yield


def modules_below(directory: str) -> list[str]:
    """Names of the loaded modules whose files lie in a directory or below it."""
    inside = os.path.realpath(directory) + os.sep
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and os.path.realpath(file).startswith(inside) and name != "__main__":
            found.append(name)
    return found


def _stamps(path: str) -> dict[str, Stamp]:
    files = [path]
    files += [str(sys.modules[name].__file__) for name in modules_below(os.path.dirname(path)) if name in sys.modules]
    out = {}
    for file in files:
        try:
            found = os.stat(file)
        except OSError:
            continue  # an editor that writes aside and renames leaves a moment without the file
        out[file] = (found.st_mtime_ns, found.st_size)
    return out
