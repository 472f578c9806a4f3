"""Commands of the documentation, run as a reader would run them: `bigviz ...` and `python script.py` in a directory."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ..patience import PATIENCE

PROGRAMS = {"bigviz": [sys.executable, "-m", "bigviz"], "python": [sys.executable]}


def words(command: str) -> list[str]:
    """A line of a listing as a command of this environment."""
    program, *arguments = shlex.split(command)
    return [*PROGRAMS[program], *arguments]


def run(command: str, folder: Path) -> str:
    """Run a command to its end; what it printed on standard output."""
    done = subprocess.run(words(command), cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


@contextmanager
def serving(command: str, folder: Path) -> Iterator[str]:
    """Run a command that serves, until the block ends: the first address it prints. It must end well on Ctrl-C."""
    environment = {**os.environ, "BROWSER": "true"}
    # A shell that runs the tests in the background, as `make test &` does, has its children ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        words(command), cwd=folder, stdout=subprocess.PIPE, text=True, env=environment, preexec_fn=heed
    ) as process:
        try:
            assert process.stdout is not None
            found = next(found for line in process.stdout if (found := re.search(r"http://\S+", line)))
            yield found[0]
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return bytes(answer.read())


def layers(page: str) -> list[dict[str, Any]]:
    """TileJSON of every layer of a page, once each is exact."""
    assert b"<html" in fetched(page)
    found: list[dict[str, Any]] = []
    while True:
        try:
            found.append(json.loads(fetched(f"{page}layers/{len(found)}/tilejson.json")))
        except urllib.error.HTTPError as error:
            assert error.code == 404 and found
            return found
