"""One process of an app, from its start to its end, as the event loop sees it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from bigviz.apps.process.handover import mapped_table, opened_table, shared_description
from bigviz.apps.process.messages import HEAD, MOST_JSON, MOST_TOLD, pack, sizes
from bigviz.apps.script_failure import Failure, ScriptFailed
from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BigvizError
from bigviz.common.rate_limit import Tokens
from bigviz.data.dataset import Dataset
from bigviz.document.bind import bind
from bigviz.document.json import from_json
from bigviz.document.spec import Document
from bigviz.server.apps.exit_words import exit_words
from bigviz.server.apps.fork_server import Forked, spawn
from bigviz.server.apps.output import log_lines

__all__ = ["AppProcess", "Ready"]

_SECONDS_TO_END: Final = 3.0
_BURST: Final = 4_000.0  # messages of one app
_PER_SECOND: Final = 2_000.0


@dataclass(frozen=True)
class Ready:
    """What an app has made: its document over open tables, how these are opened, the files that it was run from, and
    the ids that have a callback, by event."""

    document: Document
    tables: Mapping[str, Any]
    files: frozenset[str]
    handlers: Mapping[str, frozenset[str]]
    appends: bool


class AppProcess:
    """Lives on the event loop. `take` gets the messages of the app once it is ready; `ended` is done with words that
    say why when the process is gone."""

    def __init__(
        self,
        name: str,
        path: str,
        memory: int,
        take: Callable[[dict[str, Any]], None],
        progress: Callable[[str, float, int], None],
        tell: Callable[[str], None],
        shared: Path | None = None,
    ) -> None:
        """`shared`: where the files of its tables stay for other processes."""
        self.name, self.path, self.memory = name, path, memory
        self._take, self._progress, self._tell, self._shared = take, progress, tell, shared
        self._ready: asyncio.Future[tuple[dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._exited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._why: str | None = None
        self._process: Forked | None = None
        self._output: BinaryIO | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._directory: Path | None = None

    async def start(self, known: Ready | None = None) -> Ready:
        """Run the script until it is ready. Tables that are those of `known` are not opened again. Raises ScriptFailed,
        also for a process that ends before."""
        self._directory = Path(tempfile.mkdtemp(prefix="bigviz-app-"))
        spawned = in_thread(self._spawned)
        try:
            cwd = os.getcwd()
            process, ours, self._output = await asyncio.shield(spawned)
            reader, self._writer = await asyncio.open_connection(sock=ours)
            self._process = process
        except BaseException as error:
            spawned.add_done_callback(_dropped)
            shutil.rmtree(self._directory, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            raise ScriptFailed(self._no_failure(f"The app's process cannot be started: {error}.")) from error
        self.send({
            "op": "run", "path": self.path, "name": self.name, "cwd": cwd, "memory": self.memory,
            "directory": str(self._directory),
        })  # fmt: skip
        self._tasks = [asyncio.ensure_future(work) for work in (self._read(reader), self._log(), self._reap())]
        try:
            (message,) = await self._ready
            return await in_thread(partial(self._opened, message, known))
        except BaseException:
            self.kill("was stopped")
            raise

    def send(self, message: Mapping[str, Any], body: bytes = b"") -> None:
        """Send a message; nothing happens once the process is gone."""
        if self._writer is not None and not self.ended.done():
            self._writer.write(pack(message, body))
            if body:
                self._writer.write(body)

    def kill(self, why: str) -> None:
        """End the process at once; `why` is the end of a sentence that begins with the app's name."""
        if self._why is None:
            self._why = why
        if self._process is not None:
            self._process.kill()

    async def close(self) -> None:
        """End the connection, and the process with it; one that does not end soon is killed."""
        self._why = self._why or "was stopped"
        if self._writer is not None:
            self._writer.close()
        if self._process is not None and not self.ended.done():
            await asyncio.wait([self.ended], timeout=_SECONDS_TO_END)
            if not self.ended.done():
                self.kill("was stopped")
                await self.ended

    def _spawned(self) -> tuple[Forked, socket.socket, BinaryIO]:
        """A process, the connection to it, and what it prints."""
        assert self._directory is not None
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        output = os.fdopen(reading, "rb", 0)
        try:
            return spawn(theirs, writing, self.memory, self._directory), ours, output
        except OSError:
            ours.close()
            output.close()
            raise
        finally:
            theirs.close()
            os.close(writing)

    def _opened(self, message: dict[str, Any], known: Ready | None) -> Ready:
        """What the app handed over, with its tables open."""
        assert self._directory is not None
        sources = dict[str, Dataset]()
        try:
            tables: dict[str, Any] = message["tables"]
            if self._shared is not None:
                directory, shared = self._directory, self._shared
                tables = {name: shared_description(each, directory, shared) for name, each in tables.items()}
            for name, description in tables.items():
                same = known.document.sources.get(name) if known and known.tables.get(name) == description else None
                if isinstance(same, Dataset) and _is_current(same):
                    sources[name] = same
                elif self._shared is not None:
                    sources[name] = mapped_table(name, description, self._shared)
                else:
                    sources[name] = opened_table(name, description, self._directory)
            document = bind(from_json(message["document"]), sources)
            handlers = {event: frozenset(ids) for event, ids in message["handlers"].items()}
            return Ready(document, tables, frozenset(message["files"]), handlers, message["appends"])
        except Exception as error:
            words = error.message if isinstance(error, BigvizError) else f"What the app made cannot be read: {error!r}."
            files = frozenset(message["files"]) if isinstance(message.get("files"), list) else frozenset()
            raise ScriptFailed(self._no_failure(words), files) from error

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Take the app's messages until its end of the connection is closed. A process that goes on without one, or
        sends something else, would never be heard again: it is ended."""
        try:
            await self._take_all(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            await asyncio.wait([self._exited], timeout=_SECONDS_TO_END)
            if not self._exited.done():
                self.kill("closed its connection to the server")
        except Exception as error:
            self._tell(f"what came from the app is no message: {error!r}")
            self.kill("sent the server something that is no message")

    async def _take_all(self, reader: asyncio.StreamReader) -> None:
        tokens = Tokens(_BURST, _PER_SECOND)
        while True:
            size, _ = sizes(await reader.readexactly(HEAD.size), MOST_TOLD if self._ready.done() else MOST_JSON, 0)
            text = await reader.readexactly(size)
            message = json.loads(text) if size <= MOST_TOLD else await in_thread(partial(json.loads, text))
            if not self._ready.done():
                self._begin(message)
            else:
                self._take(message)
            await asyncio.sleep(0 if tokens.pay() else 1 / _PER_SECOND)

    def _begin(self, message: dict[str, Any]) -> None:
        if message["op"] == "progress":
            self._progress(message["stage"], message["done"], message["rows"])
        elif message["op"] == "ready":
            self._ready.set_result((message,))
        elif message["op"] == "failed":
            failure = Failure(**{**message["failure"], "files": frozenset(message["failure"]["files"])})
            error = ScriptFailed(failure, frozenset(message["files"]))
            error.__cause__ = None if message["own"] is None else BigvizError(message["own"])
            self._ready.set_exception(error)

    async def _log(self) -> None:
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._output)
        try:
            await log_lines(reader, self._tell)
        finally:
            transport.close()

    async def _reap(self) -> None:
        assert self._process is not None
        status, why = await in_thread(self._process.wait)
        self._exited.set_result(None)
        words = self._why or why or exit_words(status)
        if self._writer is not None:
            self._writer.close()
        await asyncio.wait(self._tasks[:2], timeout=1.0)  # what it said last; a child of its own may hold the pipe
        for task in self._tasks[:2]:
            task.cancel()
        if not self._ready.done():
            self._ready.set_exception(ScriptFailed(self._no_failure(f"The app {words} while its script ran.")))
        if self._directory is not None:
            await in_thread(partial(shutil.rmtree, self._directory, ignore_errors=True))
        self.ended.set_result(words)

    def _no_failure(self, message: str) -> Failure:
        """A failure that no line of the script is to blame for."""
        return Failure(os.path.basename(self.path), None, message, message, frozenset({os.path.abspath(self.path)}))


def _dropped(spawned: asyncio.Future[tuple[Forked, socket.socket, BinaryIO]]) -> None:
    """Let a process go that nobody waits for any more: it ends without its connection."""
    if spawned.exception() is None:
        _, connection, output = spawned.result()
        connection.close()
        output.close()


def _is_current(dataset: Dataset) -> bool:
    """Whether the files of a dataset are what they were when it was opened."""
    try:
        for file in dataset.files:
            file.check()
    except BigvizError:
        return False
    return True
