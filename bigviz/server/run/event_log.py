"""What a server reports to its operator: events, as lines for people or as JSON, one object a line."""

from __future__ import annotations

import json
import logging
import os
import queue
import shlex
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Final, TextIO

from bigviz.common.printable import printable

__all__ = ["PlainReporter", "Reporter"]

_MOST_LINES: Final = 10_000
_PAUSE: Final = 0.005  # seconds between two writes: to wake a thread for each line takes time from whoever answers


class Reporter:
    """Callable as `report(event, **facts)`; each line is flushed, so that a program that waits for one gets it.

    A thread of its own writes: a pipe that nobody reads, or that was closed, does not stop the event loop. Beyond
    10,000 waiting lines, new ones are dropped. Standard output is written to without Python's buffer, whose lock an
    interpreter that closes would wait for while nobody reads, and then end the process with SIGABRT.
    """

    def __init__(
        self,
        as_json: bool = False,
        quiet: bool = False,
        out: TextIO | None = None,
        leaves_out: Collection[str] = (),
        more: Mapping[str, Any] = {},
    ) -> None:
        """Events that others report are left out; `more` is said of each as JSON."""
        self._json = as_json
        self._leaves_out = leaves_out
        self._more = more
        self._out = out or sys.stdout
        self._descriptor = _descriptor_of(self._out)
        self._lines: queue.Queue[str] = queue.Queue(_MOST_LINES)
        if not quiet:
            threading.Thread(target=self._write, name="bigviz-report", daemon=True).start()
        self._quiet = quiet

    def __call__(self, event: str, **facts: Any) -> None:
        if self._quiet or event in self._leaves_out:
            return
        line = _line_of(event, {**facts, **self._more}, self._json)
        if line:
            with suppress(queue.Full):
                self._lines.put_nowait(line)

    def flush(self, seconds: float = 1.0) -> None:
        """Wait until everything is written, but no longer than that."""
        end = time.monotonic() + seconds
        with self._lines.all_tasks_done:
            while not self._quiet and self._lines.unfinished_tasks and (left := end - time.monotonic()) > 0:
                self._lines.all_tasks_done.wait(left)

    def _write(self) -> None:
        while True:
            lines = [self._lines.get()]
            with suppress(queue.Empty):
                while True:
                    lines.append(self._lines.get_nowait())
            text = "".join(f"{line}\n" for line in lines)
            with suppress(OSError, ValueError):  # closed: nobody reads any more
                encoding = getattr(self._out, "encoding", None) or "utf-8"  # a notebook's stream may have none
                data = text.encode(encoding, "backslashreplace")
                if self._descriptor is None:
                    print(data.decode(encoding), end="", file=self._out, flush=True)
                else:
                    _write_all(self._descriptor, data)
            for _ in lines:
                self._lines.task_done()
            time.sleep(_PAUSE)

    def catch_logs(self) -> None:
        """Send the `bigviz` and `tornado` loggers through the same lines, warnings and worse."""
        handler = _Lines(self)
        for name in ("bigviz", "tornado"):
            logger = logging.getLogger(name)
            logger.handlers = [handler]
            logger.propagate = False
        logging.getLogger("tornado").setLevel(logging.ERROR)  # its warnings are about clients, and hold their requests


class PlainReporter:
    """The same for a process without threads: whoever reports waits until the line is written."""

    def __init__(self, as_json: bool = False) -> None:
        self._json = as_json

    def __call__(self, event: str, **facts: Any) -> None:
        with suppress(OSError):  # closed: nobody reads any more
            _write_all(1, f"{_line_of(event, facts, self._json)}\n".encode(errors="backslashreplace"))


def _line_of(event: str, facts: Mapping[str, Any], as_json: bool) -> str:
    """An event as a line, empty for one that is for programs alone."""
    if as_json:
        return json.dumps({"event": event, "time": round(time.time(), 3), **facts}, default=str)
    # A terminal obeys control characters, and names of columns may hold some.
    return printable(_LINES[event](dict(facts)), keep="\t\n") if event in _LINES else ""


def _descriptor_of(out: TextIO) -> int | None:
    """The descriptor of standard output; None for another stream, such as a notebook's."""
    if out is not sys.__stdout__:
        return None
    try:
        return out.fileno()
    except (OSError, ValueError):
        return None


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


class _Lines(logging.Handler):
    def __init__(self, report: Reporter) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self._report("log", level=record.levelname.lower(), logger=record.name, message=text)


def _listening(facts: dict[str, Any]) -> str:
    line = f"bigviz is at {facts['url']}  (Ctrl-C ends it)"
    if "unix_socket" in facts:
        line += f"\n  for example: curl --unix-socket {shlex.quote(facts['unix_socket'])} http://localhost/healthz"
    return line


def _facts(facts: dict[str, Any]) -> str:
    lines = []
    for name in ("hosts", "origins", "routes"):
        lines.append(f"  {name:<9}{', '.join(facts[name])}")
    return "\n".join([*lines, f"  viewers  {facts['viewers']}"])


def _indexes(facts: dict[str, Any]) -> str:
    return (
        f"  indexes  {facts['directory']}\n"
        '           If this log ends with "Fatal Python error: Bus error", a file there was cut short or its disk '
        "failed:\n"
        "           start again, and what is damaged is built again."
    )


def _viewers(facts: dict[str, Any]) -> str:
    count = facts["viewers"]
    return f"  viewers  {count} ({facts['document']})"


def _loaded(facts: dict[str, Any]) -> str:
    lines = []
    for name, rows in facts["datasets"].items():
        lines.append(f"  opened   {name}: {rows:,} row{'s' * (rows != 1)}")
        lines += [f"           {note}" for note in facts.get("notes", {}).get(name, ())]
    return "\n".join(lines)


_LINES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "listening": _listening,
    "facts": _facts,
    "indexes": _indexes,
    "reading": lambda facts: f"  {facts['stage']}, {facts['done']:.0%}, {facts['rows']:,} rows",
    "compiling": lambda facts: "  compiling what draws, once on this machine: it may take a minute",
    "loaded": _loaded,
    "built": lambda facts: f"  indexed  {facts['dataset']}: {facts['layer']} in {facts['seconds']:.1f} s",
    "connected": _viewers,
    "disconnected": _viewers,
    "people": lambda facts: f"  people   {facts['by']}: {facts['done']} ({facts['user'] or facts.get('token')})",
    "reloaded": lambda facts: f"  reloaded {facts['path']}",
    "restarted": lambda facts: f"  started  {facts['path']} again",
    "app": lambda facts: "\n".join(f"  {facts['app']:<9}{line}" for line in facts["line"].rstrip().splitlines()),
    "process": lambda facts: f"  process  {facts['number']} (pid {facts['pid']}) {facts['done']}",
    "log": lambda facts: facts["message"],
    "stopped": lambda facts: "bigviz has stopped.",
}
