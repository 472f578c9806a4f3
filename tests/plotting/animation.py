"""examples/plot_server/animated.py as a process, once it has published its plot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "plot_server" / "animated.py"


@contextmanager
def animated(url: str) -> Iterator[subprocess.Popen[str]]:
    """The script, which stores new data twice a second on the server at `url` until the block ends."""
    environment = {**os.environ, "BIGVIZ_URL": url, "BROWSER": "echo"}  # which prints the address that is shown
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, str(SCRIPT)], env=environment, text=True, **pipes) as script:
        try:
            assert script.stdout is not None
            shown = script.stdout.readline()
            assert shown == f"{url.rstrip('/')}/animated/\n", (shown, script.poll() and script.communicate())
            yield script
        finally:
            script.kill()
