"""Which of the modules that a script imported are its author's own; only those are forgotten after a run.

A module that was installed keeps state that a second import would break: numba's compiler, extension modules that load
once in a process. So a run of a script leaves all of them where they are.
"""

from __future__ import annotations

import csv
import importlib
import os
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType
from typing import Final

__all__ = ["is_own", "own_imports"]

_INSTALLED: Final = frozenset({"site-packages", "dist-packages", "__pypackages__"})
_ENVIRONMENT: Final = ("pyvenv.cfg", "conda-meta")  # what the root of a virtual or a conda environment holds


@contextmanager
def own_imports(directory: str, files: set[str]) -> Iterator[None]:
    """Let a script of `directory` import the modules next to it, again each time.

    While the block runs, `directory` is first on `sys.path`, as it is under `python app.py`. When it ends, the author's
    own modules that it imported are no longer in `sys.modules`, and their files are in `files`. Installed packages,
    the standard library, what was imported before the block, and packages with extension modules stay.
    """
    before = set(sys.modules)
    sys.path.insert(0, directory)
    importlib.invalidate_caches()  # a module written within the clock's tick after a failed import would not be found
    try:
        yield
    finally:
        if directory in sys.path:
            sys.path.remove(directory)
        for name, module in _own({name: sys.modules[name] for name in set(sys.modules) - before}, directory).items():
            del sys.modules[name]
            if file := getattr(module, "__file__", None):
                files.add(os.path.abspath(file))


def is_own(path: str, directory: str) -> bool:
    """Whether a module's file, or a package's directory, is its author's own: below `directory`, and not installed.

    `path` counts as below if its name is (a link that leads out), or if its target is.
    """
    places = {(resolve(path), resolve(directory)) for resolve in (os.path.abspath, os.path.realpath)}
    inside = any(place.startswith(os.path.join(top, "")) for place, top in places)
    return inside and not any(_is_installed(place, top) for place, top in places)


def _own(modules: Mapping[str, ModuleType], directory: str) -> dict[str, ModuleType]:
    """Of modules that are new, those of packages that are the author's own, each package whole or not at all."""
    packages: defaultdict[str, dict[str, ModuleType]] = defaultdict(dict)
    for name, module in modules.items():
        packages[name.partition(".")[0]][name] = module
    found: dict[str, ModuleType] = {}
    for top, members in packages.items():
        places = _places(members[top]) if top in members else []  # else its parent was imported before
        if places and all(is_own(place, directory) for place in places) and not _has_extensions(members):
            found |= members
    return found


def _places(module: ModuleType) -> list[str]:
    """The file of a module, the directory of a package, the several directories of a namespace package."""
    paths = [str(path) for path in getattr(module, "__path__", ())]
    file = getattr(module, "__file__", None)
    return paths or ([file] if file else [])


def _has_extensions(modules: Mapping[str, ModuleType]) -> bool:
    return any(str(getattr(each, "__file__", "")).endswith(tuple(EXTENSION_SUFFIXES)) for each in modules.values())


def _is_installed(place: str, top: str) -> bool:
    """Whether a module lies in a directory of installed packages, in an environment below `top`, or in the standard
    library."""
    root, name = os.path.split(place)
    if not _INSTALLED.isdisjoint(Path(root).parts) or place.startswith(_standard_library()):
        return True
    if name.partition(".")[0] in _recorded(root):
        return True
    while root.startswith(os.path.join(top, "")):
        if any(os.path.exists(os.path.join(root, mark)) for mark in _ENVIRONMENT):
            return True
        root = os.path.dirname(root)
    return False


@cache
def _standard_library() -> tuple[str, ...]:
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    return tuple({os.path.join(place, "") for path in paths for place in (path, os.path.realpath(path))})


def _recorded(directory: str) -> set[str]:
    """Names of the packages that an installer put into a directory (`pip install --target`), as its records say."""
    names = set()
    for record in Path(directory).glob("*.dist-info/RECORD"):
        with record.open(newline="", encoding="utf-8") as lines:
            names |= {row[0].partition("/")[0].partition(".")[0] for row in csv.reader(lines) if row}
    return names
