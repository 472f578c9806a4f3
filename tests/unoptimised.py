"""Other people's kernels, which no cache keeps: each process of the tests compiles them anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from numba.core import config


@contextmanager
def unoptimised() -> Iterator[None]:
    """What is compiled meanwhile is not optimised: datashader's kernels are ready in half of the time, and give the
    same bits. The project's own kernels must not be called: their cache would keep what is slow."""
    with mock.patch.object(config, "OPT", type(config.OPT)(0)):
        yield
