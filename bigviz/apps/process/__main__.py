"""The process of an app: `python -m bigviz.apps.process JSON` runs a script, hands over what it made, and then makes
the calls that the server asks for, until the server closes the connection."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import bigviz
from bigviz.apps.process.calls import Calls
from bigviz.apps.process.channel import Channel
from bigviz.apps.process.handover import described_tables
from bigviz.apps.process.memory_limit import limit_memory
from bigviz.apps.script import ScriptRun, run_script
from bigviz.apps.script_failure import ScriptFailed, failure_of
from bigviz.common.errors import BigvizError
from bigviz.common.fatal_signals import log_fatal_signals
from bigviz.common.progress import listening
from bigviz.document.bind import require_bound
from bigviz.document.controls.handlers import collected_handlers
from bigviz.document.document import document
from bigviz.document.figure import Figure
from bigviz.document.layout import Box
from bigviz.document.spec import Document

__all__ = ["main"]

_SECONDS_TO_CLOSE: Final = 2.0
_SECONDS_TO_SWITCH: Final = 0.0005  # after which a callback that computes lets others begin: Python's own is 5 ms


def main() -> None:
    """Run until the connection ends. The argument has `fd`, the connection's descriptor; `path` of the script; `name`
    of its document; `memory` in bytes; and `directory`, where tables are put."""
    given = json.loads(sys.argv[1])
    log_fatal_signals()
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    channel = Channel(socket.socket(fileno=given["fd"]))
    limit_memory(given["memory"])
    run = ScriptRun(os.path.abspath(given["path"]))
    try:
        calls = _started(run, given, channel)
    except ScriptFailed as error:
        channel.send({"op": "failed", **_failure_json(error)})
        return
    for message, body in channel.messages():
        calls.take(message, body)
    _end_soon()


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
    channel.send({
        "op": "ready",
        "document": made.to_json(),
        "tables": tables,
        "files": sorted(files),
        "handlers": calls.known,
        "appends": run.on_append is not None,
    })  # fmt: skip
    return calls


def _hand_over(run: ScriptRun, root: Document | Figure | Box, port: int = 0, **options: Any) -> None:
    """`bigviz.serve`, as a script that is run calls it."""
    run.serve(root if isinstance(root, Document) else document(root), options.get("on_append"))


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


if __name__ == "__main__":
    main()
