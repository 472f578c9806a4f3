"""What the system says of a disk that takes no more."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bigviz.common.errors import NoSpace

__all__ = ["FULL", "no_space"]

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The numbers of errors of a disk that is full, or over a quota."""


@contextmanager
def no_space(message: str, field: str) -> Iterator[None]:
    """Turn errors of a disk that is full, over a quota or failing into NoSpace; others go on as they are."""
    try:
        yield
    except OSError as error:
        if error.errno not in (*FULL, errno.EIO):
            raise
        raise NoSpace(message, field) from error
