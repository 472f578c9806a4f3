"""A file that others see whole, or as it was before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import BadInput

__all__ = ["written_aside"]


@contextmanager
def written_aside(path: Path, sync: bool = True) -> Iterator[IO[bytes]]:
    """A new file in the directory of `path`, which takes its place when the block has ended without an error, and else
    leaves nothing. `sync`: it is on the disk then. Raises BadInput where it cannot be written."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(aside, "xb") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(aside, path)
        if sync:
            sync_directory(path.parent)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.", "output") from error
    finally:
        with suppress(OSError):
            aside.unlink()
