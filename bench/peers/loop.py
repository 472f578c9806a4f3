"""The peer's half of the protocol; runs in the peer's environment and needs numpy and pyarrow only.

A request is `{"op": name, "keep": bool, ...arguments}`; the answer is `{"seconds": s, "array": path of an .npy file or
null, ...}`, the path only with `keep`, or `{"error": text}`. What a library prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa


class Answer(NamedTuple):
    """What an operation took, what it computed (for the check that follows), and what is to be said about it."""

    seconds: float
    array: np.ndarray | None = None
    facts: dict[str, Any] = {}  # noqa: RUF012


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of `work()`, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def read(path: str, names: list[str]) -> pa.Table:
    """Columns of an Arrow file, mapped: nothing is copied before a peer does."""
    return pa.ipc.open_file(pa.memory_map(path)).read_all().select(names)


def serve(*operations: Callable[..., Answer]) -> None:
    """Answer requests until stdin ends."""
    known = {each.__name__: each for each in operations}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            request = json.loads(line)
            keep = request.pop("keep")
            try:
                seconds, array, facts = known[request.pop("op")](**request)
            except Exception:
                reply: dict[str, Any] = {"error": traceback.format_exc()}
            else:
                path = None
                if keep and array is not None:
                    path = os.path.join(folder, "array.npy")
                    np.save(path, array)
                reply = {"seconds": seconds, "array": path, **facts}
            print(json.dumps(reply), file=answers, flush=True)
