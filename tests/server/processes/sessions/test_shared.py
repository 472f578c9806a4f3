"""Questions about selections between processes: each has a connection, which ends with its answer."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.iostream import IOStream

from bigviz.common.errors import NotFound
from bigviz.server.processes.link import Link
from bigviz.server.processes.sessions import shared
from bigviz.server.processes.sessions.shared import SharedSessions


async def asked(question: dict[str, Any]) -> tuple[tuple[dict[str, Any], bytes], bool]:
    """What is answered, and whether the process that answers has closed the connection, too."""
    tasks: list[asyncio.Task[None]] = []
    site: Any = SimpleNamespace(spawn=lambda work: tasks.append(asyncio.ensure_future(work)))
    front_end: Any = None
    here, there = (IOStream(each) for each in socket.socketpair())
    SharedSessions(front_end, site).answer(there)
    link = Link(here)
    link.send(question)
    answer = await link.receive()
    link.close()
    await asyncio.gather(*tasks)
    return answer, there.closed()


def test_a_connection_ends_with_its_answer(monkeypatch: pytest.MonkeyPatch):
    async def answer(site: Any, question: Any) -> tuple[Any, bytes]:
        return [question["id"]], b"rows"

    monkeypatch.setattr(shared, "answer_of", answer)
    assert asyncio.run(asked({"id": "1-a"})) == (({"value": ["1-a"]}, b"rows"), True)


def test_errors_are_told_and_those_that_nobody_expects_are_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def answer(site: Any, question: Any) -> tuple[Any, bytes]:
        raise RuntimeError("a secret") if question["broken"] else NotFound("gone", "selection")

    monkeypatch.setattr(shared, "answer_of", answer)
    (told, _), closed = asyncio.run(asked({"broken": False}))
    assert (told["error"]["kind"], told["error"]["message"], closed) == ("NotFound", "gone", True) and not caplog.text
    (told, _), closed = asyncio.run(asked({"broken": True}))
    assert "its log says why" in told["error"]["message"] and closed and "a secret" in caplog.text
