"""What the thread that reads tables says to pages and to the operator."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from bigviz.common.progress import COMPILING
from bigviz.server.run.event_log import _LINES
from bigviz.server.run.reading_reports import Reading


def test_compiling_is_told_to_both_at_once():
    told: list[Any] = []

    async def work() -> None:
        site: Any = SimpleNamespace(read=lambda report: told.append(report["stage"]))
        reading = Reading(asyncio.get_running_loop(), site, lambda name, **facts: told.append((name, facts)))
        reading("reading t.csv", 0.5, 10)
        reading(COMPILING, 0.0, 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(work())
    assert told == ["reading t.csv", ("compiling", {}), COMPILING]
    assert "once on this machine" in _LINES["compiling"]({})
