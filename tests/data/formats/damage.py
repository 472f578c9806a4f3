"""Files with bytes changed at random, and what became of opening them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from bigviz.common.errors import BigvizError
from bigviz.data.open import open as open_table


def outcomes(
    path: Path, seed: int, rounds: int, changes: Sequence[int], place: Callable[[random.Random], int]
) -> Counter[str]:
    """How often the file at `path` could be read with all its columns, and how often it was refused, by error.

    Each round changes as many bytes as one of `changes` says, each at a `place`, and leaves the file so. Errors other
    than bigviz's own are not caught.
    """
    data = path.read_bytes()
    source = random.Random(seed)
    found: Counter[str] = Counter()
    for _ in range(rounds):
        damaged = bytearray(data)
        for _ in range(source.choice(changes)):
            byte = source.randrange(256)
            damaged[place(source)] = byte
        path.write_bytes(damaged)
        try:
            dataset = open_table(path)
            for info in dataset.columns():
                if info.plottable:
                    dataset.column(info.name)
            found["read"] += 1
        except BigvizError as error:
            found[type(error).__name__] += 1
    return found
