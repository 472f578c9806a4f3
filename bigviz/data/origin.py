"""How a dataset was opened from paths, so that another process can open it too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from bigviz.data.remote.address import is_remote

__all__ = ["Origin"]


@dataclass(frozen=True)
class Origin:
    """The paths, absolute, or addresses, which may hold secrets, and what was said of CSV files (None: nothing).
    `single`: it was one path, which may be a directory or a glob."""

    paths: tuple[str, ...]
    single: bool
    header: bool | None = None
    delimiter: str | None = None

    @classmethod
    def of(cls, source: str | Sequence[str], header: bool | None, delimiter: str | None) -> Origin:
        """Where the process is now decides what relative paths mean."""
        single = isinstance(source, str)
        paths = (source,) if isinstance(source, str) else tuple(source)
        return cls(tuple(map(_absolute, paths)), single, header, delimiter)

    @property
    def source(self) -> str | list[str]:
        """What `open_files` takes."""
        return self.paths[0] if self.single else list(self.paths)


def _absolute(path: str) -> str:
    return path if is_remote(path) else os.path.abspath(os.path.expanduser(path))
