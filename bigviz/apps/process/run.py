"""The process of an app runs its script, hands over what that made, and then makes the calls that the server asks for,
until the server closes the connection."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

import bigviz
from bigviz.apps.process.calls import Calls
from bigviz.apps.process.channel import Channel
from bigviz.apps.process.handover import described_tables
from bigviz.apps.process.memory_limit import limit_memory
from bigviz.apps.process.messages import MOST_JSON
from bigviz.apps.script import ScriptRun, run_script
from bigviz.apps.script_failure import ScriptFailed, failure_of
from bigviz.common.errors import BigvizError
from bigviz.common.fatal_signals import log_fatal_signals
from bigviz.common.progress import listening
from bigviz.document.bind import require_bound
from bigviz.document.controls.handlers import collected_handlers
from bigviz.document.document import as_document
from bigviz.document.figure import Figure
from bigviz.document.layout import Box
from bigviz.document.spec import Document

__all__ = ["run_app"]

_SECONDS_TO_CLOSE: Final = 2.0
_SECONDS_TO_SWITCH: Final = 0.0005  # after which a callback that computes lets others begin: Python's own is 5 ms


def run_app(connection: socket.socket, began: str) -> None:
    """Run until the connection ends. The first message on it has the `path` of the script, the `name` of its document,
    the working directory `cwd`, `memory` in bytes, and the `directory` where tables are put. `began`: the directory in
    which this Python was started, which `sys.path` has."""
    log_fatal_signals()
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    sys.stdout, sys.stderr = (_lines_to(stream) for stream in (sys.stdout, sys.stderr))
    channel = Channel(connection)
    messages = channel.messages()
    given, _ = next(messages, (None, b""))
    if given is None:
        return  # the server has changed its mind
    os.chdir(given["cwd"])
    sys.path[:] = [given["cwd"] if each == began else each for each in sys.path]
    limit_memory(given["memory"])
    run = ScriptRun(os.path.abspath(given["path"]))
    try:
        calls = _started(run, given, channel)
    except ScriptFailed as error:
        channel.send({"op": "failed", **_failure_json(error)}, most=MOST_JSON)
        return
    for message, body in messages:
        calls.take(message, body)
    _end_soon()


def _lines_to(stream: TextIO) -> TextIO:
    """A stream to the same descriptor, which is of another file than when this Python was started, line by line."""
    return open(stream.fileno(), "w", 1, stream.encoding, "backslashreplace", closefd=False)


def _started(run: ScriptRun, given: Mapping[str, Any], channel: Channel) -> Calls:
    """Run the script, and tell the server that it is ready. Raises ScriptFailed."""
    bigviz.serve = partial(_hand_over, run)  # the function itself would load the server first: a second of each start
    with listening(partial(_progress, channel)), collected_handlers() as handlers:
        made, files = run_script(given["path"], run)
        try:
            require_bound(made)
            tables = described_tables(made, Path(given["directory"]))
            made = made.renamed(given["name"])
            calls = Calls(channel, made, handlers, run.on_append, run.path)
        except (BigvizError, OSError, MemoryError) as error:
            raise ScriptFailed(failure_of(error, run.path), files) from error
    facts = {"document": made.to_json(), "tables": tables, "files": sorted(files), "handlers": calls.known}
    channel.send({"op": "ready", **facts, "appends": run.on_append is not None}, most=MOST_JSON)
    return calls


def _hand_over(run: ScriptRun, root: Document | Figure | Box, port: int = 0, **options: Any) -> None:
    """`bigviz.serve`, as a script that is run calls it."""
    run.serve(as_document(root), options.get("on_append"))


def _progress(channel: Channel, stage: str, done: float, rows: int) -> None:
    channel.send({"op": "progress", "stage": stage, "done": done, "rows": rows})


def _failure_json(error: ScriptFailed) -> dict[str, Any]:
    own = error.__cause__ if isinstance(error.__cause__, BigvizError) else None
    failure = {**vars(error.failure), "files": sorted(error.failure.files)}
    return {"failure": failure, "files": sorted(error.files), "own": None if own is None else own.message}


def _end_soon() -> None:
    """The interpreter closes as it usually does, and if that takes long, the process ends nevertheless."""
    timer = threading.Timer(_SECONDS_TO_CLOSE, os._exit, (0,))
    timer.daemon = True
    timer.start()
