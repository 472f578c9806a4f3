"""A library in a directory of its own, with a clock that tests set."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bigviz.library.library import Library


class Clock:
    """Seconds since the epoch, of which none passes by itself."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def library(tmp_path: Path, clock: Clock) -> Iterator[Library]:
    with Library.open(tmp_path / "library", now=clock) as opened:
        yield opened
