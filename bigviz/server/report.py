"""What a server tells its operator: events, as lines for people or as JSON, one object a line."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

__all__ = ["Reporter"]


class Reporter:
    """Callable as `report(event, **facts)`. Lines are flushed, so that a program that waits for one gets it."""

    def __init__(self, as_json: bool = False, quiet: bool = False, out: TextIO | None = None) -> None:
        self._json = as_json
        self._quiet = quiet
        self._out = out or sys.stdout

    def __call__(self, event: str, **facts: Any) -> None:
        if self._quiet:
            return
        if self._json:
            line = json.dumps({"event": event, "time": round(time.time(), 3), **facts}, default=str)
        else:
            line = _LINES[event](facts) if event in _LINES else ""
        if line:
            print(line, file=self._out, flush=True)

    def catch_logs(self) -> None:
        """Send the `bigviz` and `tornado` loggers through the same lines, warnings and worse."""
        handler = _Lines(self)
        for name in ("bigviz", "tornado"):
            logger = logging.getLogger(name)
            logger.handlers = [handler]
            logger.propagate = False
        logging.getLogger("tornado").setLevel(logging.ERROR)  # its warnings are about clients, and hold their requests


class _Lines(logging.Handler):
    def __init__(self, report: Reporter) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        self._report("log", level=record.levelname.lower(), logger=record.name, message=text)


def _listening(facts: dict[str, Any]) -> str:
    return f"bigviz is at {facts['url']}  (Ctrl-C ends it)"


def _facts(facts: dict[str, Any]) -> str:
    lines = []
    for name in ("hosts", "origins", "routes"):
        lines.append(f"  {name:<9}{', '.join(facts[name])}")
    return "\n".join([*lines, f"  viewers  {facts['viewers']}"])


def _viewers(facts: dict[str, Any]) -> str:
    count = facts["viewers"]
    return f"  viewers  {count} ({facts['document']})"


def _loaded(facts: dict[str, Any]) -> str:
    return "\n".join(f"  opened   {name}: {rows:,} rows" for name, rows in facts["datasets"].items())


_LINES: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "listening": _listening,
    "facts": _facts,
    "loaded": _loaded,
    "built": lambda facts: f"  indexed  {facts['dataset']}: {facts['layer']} in {facts['seconds']:.1f} s",
    "connected": _viewers,
    "disconnected": _viewers,
    "reloaded": lambda facts: f"  reloaded {facts['path']}",
    "log": lambda facts: facts["message"],
    "stopped": lambda facts: "bigviz has stopped.",
}
