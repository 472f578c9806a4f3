"""`bigviz serve` as a process of its own, for what is measured from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["serving"]


@contextmanager
def serving(*arguments: str, event: str, cwd: Path | None = None) -> Iterator[str]:
    """The address of a server on a free port, once it has told of this event; it is killed in the end. Raises
    RuntimeError for one that ends before."""
    command = [sys.executable, "-m", "bigviz", "serve", *arguments, "--port", "0", "--no-browser", "--log-json"]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        reader = None
        try:
            assert server.stdout is not None
            url, seen = "", set[str]()
            while not (url and event in seen):
                line = server.stdout.readline()
                if not line:
                    raise RuntimeError("the server did not start")
                told = json.loads(line)
                url = told.get("url", url)
                seen.add(told["event"])
            reader = threading.Thread(target=server.stdout.read)  # what it says later would fill the pipe
            reader.start()
            yield url
        finally:
            server.kill()
            if reader is not None:
                reader.join()
