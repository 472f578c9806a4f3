"""`bigviz serve app.py`: run a script and take the document that it makes."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bigviz.data.errors import BadInput
from bigviz.document.document import document, last_document
from bigviz.document.figure import Figure
from bigviz.document.layout import Box
from bigviz.document.spec import Document
from bigviz.server.watch import modules_below

__all__ = ["is_running", "script_document", "served"]

_served: list[Document] = []
_running: list[str] = []


def script_document(path: str) -> Document:
    """Run a script as `__main__` and return its document.

    That is what it passes to `bigviz.serve` (which returns at once here), else the last one that it makes with
    `bigviz.document`, else the last figure or layout among its global names. Modules beside the script are imported
    anew. Raises BadInput where it makes none; what the script raises goes through.
    """
    before = last_document()
    with _as_main(path) as full:
        names = runpy.run_path(full, run_name="__main__")
    if _served:
        return _served.pop()
    made = last_document()
    if made is not None and made is not before:
        return made
    plots = [value for value in names.values() if isinstance(value, Figure | Box | Document)]
    if not plots:
        raise BadInput(f"{path} makes no figure, layout or document.", "path", path)
    return document(plots[-1])


def is_running() -> bool:
    """Whether a script is being run for `bigviz serve`: then `bigviz.serve` hands over its document and returns."""
    return bool(_running)


def served(made: Document) -> None:
    """What a script passed to `bigviz.serve`; the last one counts."""
    _served[:] = [made]


@contextmanager
def _as_main(path: str) -> Iterator[str]:
    full = os.path.abspath(path)
    directory = os.path.dirname(full)
    for name in modules_below(directory):
        if not name.startswith("bigviz"):
            sys.modules.pop(name, None)
    arguments, sys.argv = sys.argv, [path]
    sys.path.insert(0, directory)
    _running.append(full)
    _served.clear()
    try:
        yield full
    finally:
        _running.pop()
        sys.argv = arguments
        if directory in sys.path:
            sys.path.remove(directory)
