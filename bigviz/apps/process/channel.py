"""The app's end of the connection to the server: messages from any thread, and questions that wait for an answer."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from bigviz.apps.process.messages import HEAD, MOST_BODY, MOST_JSON, MOST_TOLD, pack, sizes
from bigviz.common.process.remote_errors import error_of

__all__ = ["Channel"]


class Channel:
    """Thread-safe. `messages` is iterated by one thread, which thereby takes the answers to questions too."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[Future[tuple[dict[str, Any], bytes]], int]] = {}

    def send(self, message: Mapping[str, Any], most: int = MOST_TOLD) -> None:
        """Send a message; blocks while the server does not read. Raises TooLarge for more than `most` bytes."""
        packed = pack(message, most=most)
        with self._sending:
            self._socket.sendall(packed)

    def ask(self, message: Mapping[str, Any], call: int) -> tuple[dict[str, Any], bytes]:
        """The answer to a question that belongs to a call. Raises the error that the server answers with, and whatever
        `give_up` was told."""
        number = next(self._numbers)
        future: Future[tuple[dict[str, Any], bytes]] = Future()
        self._asked[number] = future, call
        try:
            self.send({**message, "id": number, "call": call})
            return future.result()
        finally:
            self._asked.pop(number, None)

    def give_up(self, call: int, error: BaseException) -> None:
        """Let the questions of a call raise this."""
        for future, of in list(self._asked.values()):
            if of == call and not future.done():
                future.set_exception(error)

    def messages(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """What the server sends, until the connection ends."""
        while (found := self._next()) is not None:
            message, body = found
            if message["op"] != "answer":
                yield message, body
                continue
            future, _ = self._asked.get(message["id"], (None, 0))
            if future is None or future.done():
                continue
            if "error" in message:
                future.set_exception(error_of(message["error"]))
            else:
                future.set_result((message, body))

    def _next(self) -> tuple[dict[str, Any], bytes] | None:
        head = self._exactly(HEAD.size)
        if head is None:
            return None
        text, size = sizes(head, MOST_JSON, MOST_BODY)
        encoded, body = self._exactly(text), self._exactly(size)
        return None if encoded is None or body is None else (json.loads(encoded), body)

    def _exactly(self, size: int) -> bytes | None:
        """So many bytes; None where the connection ends before."""
        found = bytearray()
        while len(found) < size:
            try:
                piece = self._socket.recv(min(size - len(found), 1 << 20))
            except OSError:
                return None
            if not piece:
                return None
            found += piece
        return bytes(found)
