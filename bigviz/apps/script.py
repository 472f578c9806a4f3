"""`bigviz serve app.py`: run a script and take the document that it makes."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from bigviz.apps.own_modules import own_imports
from bigviz.apps.script_failure import ScriptFailed, failure_of
from bigviz.common.errors import BadInput
from bigviz.document.document import as_document, collected, document
from bigviz.document.figure import Figure
from bigviz.document.layout import Box
from bigviz.document.spec import Document

__all__ = ["ScriptRun", "current_run", "run_script"]

_current: ContextVar[ScriptRun | None] = ContextVar("script", default=None)


@dataclass
class ScriptRun:
    """A run of a script: what it served, with the function that is to be called with what is appended, and the files
    that it was run from."""

    path: str
    served: Document | None = None
    files: set[str] = field(default_factory=set)
    on_append: Callable[..., object] | None = None

    def serve(self, made: Document, on_append: Callable[..., object] | None = None) -> None:
        """Take what the script passes to `bigviz.serve`; the last one counts."""
        self.served, self.on_append = made, on_append


def current_run() -> ScriptRun | None:
    """The run of a script that the caller is part of: then `bigviz.serve` hands over its document and returns."""
    return _current.get()


def run_script(path: str, run: ScriptRun | None = None) -> tuple[Document, frozenset[str]]:
    """Run a script as `__main__`: its document, and the files of the modules next to it that it imported.

    The document is what the script passes to `bigviz.serve` (which returns at once here), else the last one that it
    makes with `bigviz.document`, else the last figure or layout among its global names. The author's own modules
    are imported again, installed ones are not. `run` hears of what else it passes to `bigviz.serve`. Raises
    ScriptFailed for whatever the script raises, and where it makes none.
    """
    run = run or ScriptRun(os.path.abspath(path))
    try:
        return _run(run, path), frozenset(run.files)
    except Exception as error:
        failure = failure_of(error, run.path)
        raise ScriptFailed(failure, frozenset(run.files | failure.files)) from error


def _run(run: ScriptRun, path: str) -> Document:
    with collected() as made, _as_main(run, path):
        names = _global_names(run.path)
    if run.served is not None:
        return run.served
    if made:
        return as_document(made[-1])
    plots = [value for value in names.values() if isinstance(value, Figure | Box | Document)]
    if not plots:
        raise BadInput("The script makes no figure, layout or document: give `bigviz.serve` one.", "path", path)
    return document(plots[-1])


def _global_names(path: str) -> dict[str, object]:
    try:
        return runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise BadInput(f"The script ended itself: sys.exit({end.code!r}).", "path", path) from end
        return {}


@contextmanager
def _as_main(run: ScriptRun, path: str) -> Iterator[None]:
    """What `python app.py` gives a script: its arguments and, for modules, the directory where the link to it leads."""
    arguments, sys.argv = sys.argv, [path]
    token = _current.set(run)
    try:
        with own_imports(os.path.dirname(os.path.realpath(run.path)), run.files):
            yield
    finally:
        _current.reset(token)
        sys.argv = arguments
