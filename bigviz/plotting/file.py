"""`output_file`: the file that `show` and `save` write."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bigviz.common.errors import BadInput
from bigviz.plotting.figure import Figure, collect

__all__ = ["OutputFile", "current_file", "no_output_file", "output_file"]


@dataclass(frozen=True)
class OutputFile:
    """Where to write, the heading of the page (None: the first figure's), and the figures made since."""

    path: Path
    title: str | None
    made: list[Figure]


_file: OutputFile | None = None


def output_file(filename: str | os.PathLike[str], title: str | None = None) -> None:
    """Write what is shown or saved from now on as a page in one file, which needs no server. A file that is there is
    replaced. `title` is the page's heading (default: the first figure's title)."""
    global _file
    path = Path(filename)
    if not path.name:
        raise BadInput(f"output_file takes the name of a file, got {str(filename)!r}.", "filename")
    _file = OutputFile(path, title, collect("file"))


def current_file() -> OutputFile | None:
    """What `output_file` said."""
    return _file


def no_output_file() -> BadInput:
    """The error where there is nothing to write to."""
    return BadInput("There is no file to write to: call output_file(name) first, or give a filename.", "filename")
