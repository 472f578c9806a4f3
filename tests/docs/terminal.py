"""Commands of the documentation, run as a reader would run them: `bigviz ...` and `python script.py` in a directory.

What `bigviz` does is done in this process, which has loaded all that a process of its own would load for 2 s.
"""

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
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bigviz.cli import cli

from ..patience import PATIENCE
from ..serving import served

PROGRAMS = {"bigviz": [sys.executable, "-m", "bigviz"], "python": [sys.executable]}


def run(command: str, folder: Path) -> str:
    """Run a command to its end; what it printed on standard output."""
    program, *arguments = shlex.split(command)
    if program == "bigviz":
        with chdir(folder):
            told = CliRunner().invoke(cli, arguments)
        assert told.exit_code == 0, (command, told.output)
        return told.stdout
    words = [*PROGRAMS[program], *arguments]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


@contextmanager
def serving(command: str, folder: Path) -> Iterator[str]:
    """Run a command that serves, until the block ends: the first address it prints. A process must end well on
    Ctrl-C."""
    program, *arguments = shlex.split(command)
    if (program, arguments[0]) == ("bigviz", "serve"):
        with served([each for each in arguments[1:] if each != "--no-browser"], folder) as running:
            yield str(running.await_event("listening")["url"])
        return
    environment = {**os.environ, "BROWSER": "true"}
    # A shell that runs the tests in the background, as `make test &` does, has its children ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    words = [*PROGRAMS[program], *arguments]
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, text=True, env=environment, preexec_fn=heed
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
