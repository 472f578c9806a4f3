"""Reading requests before Tornado does: those whose answers are kept, or are like some that are, are answered here,
others are left to it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate
from tornado.iostream import IOStream

from bigviz.common.errors import BigvizError
from bigviz.server.gathered_write import write_gathered
from bigviz.server.http.response_budget import Budget
from bigviz.server.kept.kept_answers import Client, KeptAnswer, KeptAnswers, Model
from bigviz.server.kept.tile_question import place_of
from bigviz.server.kept.tile_requests import Place
from bigviz.server.limits import Limits
from bigviz.wire.frames import Bytes

__all__ = ["ReadAhead"]

_END: Final = rb"\r?\n\r?\n"  # of a request's head, as Tornado has it


class ReadAhead:
    """Takes the place of a connection's `read_response`, which reads one request and hands it to a handler: what comes
    before it and has a kept answer, or one that is made as a kept one was, is answered first."""

    def __init__(
        self, connection: HTTP1Connection, client: Client, kept: KeptAnswers, budget: Budget, limits: Limits
    ) -> None:
        self._connection = connection
        self._client = client
        self._kept = kept
        self._budget = budget
        self._limits = limits

    async def __call__(self, delegate: HTTPMessageDelegate) -> bool:
        """Whether the connection is kept for another request. Raises StreamClosedError once it is closed."""
        connection, stream = self._connection, self._connection.stream
        del connection.read_response  # Tornado's own again, without a cycle of references
        stream.set_nodelay(True)  # which Tornado takes back after each request that it has answered
        while True:
            request = await self._request(stream)
            began = time.perf_counter()
            found = self._kept.find(request, self._client)
            if found is None:
                answered = await self._answered_alike(stream, request, began)
            else:
                answered = await self._answered(stream, *found, began)
            if not answered:
                break
        _give_back(stream, request)
        with self._kept.asking(stream, request, self._client):
            return await connection.read_response(delegate)

    async def _request(self, stream: IOStream) -> bytes:
        """The head of the next request. The connection is closed where it does not come in time, or is too long."""
        read: Any = stream.read_until_regex(_END, max_bytes=self._limits.header_bytes)
        if read.done():
            await asyncio.sleep(0)  # a client that sends many requests at once takes turns with others
            return bytes(await read)
        timer = asyncio.get_running_loop().call_later(self._limits.header_seconds, stream.close)
        try:
            return bytes(await read)
        finally:
            timer.cancel()

    async def _answered(self, stream: IOStream, answer: KeptAnswer, body: Bytes, began: float) -> bool:
        """Whether the answer was sent, with the budget of all answers."""
        try:
            self._budget.admit(len(body))
        except BigvizError:
            return False
        try:
            await self._send(stream, (answer.head_now(), body))
        finally:
            self._budget.release(len(body))
        self._kept.sent(answer, time.perf_counter() - began)
        return True

    async def _answered_alike(self, stream: IOStream, request: bytes, began: float) -> bool:
        """Whether a tile was made and sent, because others of its layer were asked for in the same words. It is given
        up when its client is gone. Where it cannot be had, its handler says why."""
        found = self._kept.like(request, self._client)
        if found is None:
            return False
        task = asyncio.current_task()

        def gone() -> None:
            if task is not None:
                task.cancel()

        self._kept.in_hand[self] = stream
        stream.set_close_callback(gone)
        try:
            answer = await self._made(stream, request, *found)
        except (BigvizError, MemoryError):
            answer = None
        finally:
            stream.set_close_callback(None)
            del self._kept.in_hand[self]
        if answer is not None:
            self._kept.sent(answer, time.perf_counter() - began)
        return answer is not None

    async def _made(self, stream: IOStream, request: bytes, model: Model, place: Place) -> KeptAnswer | None:
        """A tile that is made now, or is there already under another request, and is sent; None where it came out as
        the answer to another question than the model's."""
        question, at = model.answer.basis.question, place_of(*place)
        tag = await question.tag(at)
        body = question.kept(tag)
        with self._budget.hold(await question.size() if body is None else len(body)) as held:
            if body is None:
                body, answered = await question.answer(at, tag)
                if answered is not question:
                    return None
                held.set(len(body))
            answer = self._kept.made(request, self._client, model, tag, len(body))
            await self._send(stream, (answer.head_now(), body))
        return answer

    async def _send(self, stream: IOStream, pieces: tuple[bytes, Bytes]) -> None:
        """Send an answer; a client that does not take it in is cut off."""
        written = write_gathered(stream, pieces)
        if written.done():
            return
        timer = asyncio.get_running_loop().call_later(self._limits.write_seconds, stream.close)
        try:
            await written
        finally:
            timer.cancel()


def _give_back(stream: Any, request: bytes) -> None:
    """Put what was read back in front of what a stream has buffered, by the names that Tornado has for its buffer."""
    stream._read_buffer[:0] = request
    stream._read_buffer_size += len(request)
