"""Reading requests before Tornado does: those whose answers are kept are answered here, others are left to it."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate
from tornado.iostream import IOStream

from bigviz.common.errors import BigvizError
from bigviz.server.http.response_budget import Budget
from bigviz.server.kept.kept_answers import Client, KeptAnswer, KeptAnswers
from bigviz.server.limits import Limits

__all__ = ["ReadAhead"]

_END: Final = rb"\r?\n\r?\n"  # of a request's head, as Tornado has it


class ReadAhead:
    """Takes the place of a connection's `read_response`, which reads one request and hands it to a handler: what comes
    before it and has a kept answer is answered first."""

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
        del connection.read_response  # from now on it is Tornado's own, and nothing refers to itself
        while True:
            request = await self._request(stream)
            began = time.perf_counter()
            found = self._kept.find(request, self._client)
            if found is None or not await self._answered(stream, *found, began):
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

    async def _answered(self, stream: IOStream, answer: KeptAnswer, body: bytes, began: float) -> bool:
        """Whether the answer was sent, with the budget of all answers; a client that does not take it in is cut off."""
        try:
            self._budget.admit(len(body))
        except BigvizError:
            return False
        try:
            stream.set_nodelay(True)
            written = stream.write(answer.written(body))
            if not written.done():
                timer = asyncio.get_running_loop().call_later(self._limits.write_seconds, stream.close)
                try:
                    await written
                finally:
                    timer.cancel()
        finally:
            self._budget.release(len(body))
        self._kept.sent(answer, time.perf_counter() - began)
        return True


def _give_back(stream: Any, request: bytes) -> None:
    """Put what was read of a stream before what is still to be read."""
    stream._read_buffer[:0] = request
    stream._read_buffer_size += len(request)
