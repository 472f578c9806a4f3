"""Checks uploaded files, and reads rows that are to be appended, in worker processes that are kept warm: starting one
takes as long as checking many files."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from bigviz.common import errors
from bigviz.common.errors import BigvizError, Unreadable
from bigviz.data.uploads.facts import BodyFormat, Format, TableFacts

__all__ = ["Validator"]

_MODULE: Final = "bigviz.data.uploads.worker"
_MOST_ASKED: Final = 10_000  # that one process checks before another takes its place
_HARMLESS: Final = (None, "Conflict")  # what other columns are told from, by the schema alone
_PIPE: Final = 1 << 20  # bytes that a pipe holds
_LEAST_SECONDS: Final = 30.0
_BYTES_A_SECOND: Final = 20e6
_LONGEST_LINE: Final = 4 << 20
_KINDS: Final = {
    "BadInput": errors.BadInput,
    "Conflict": errors.Conflict,
    "TooLarge": errors.TooLarge,
    "Unreadable": Unreadable,
}


class Validator:
    """At most `processes` files are checked at a time, each with `memory` bytes. Thread-safe, blocks."""

    def __init__(self, memory: int = 2 << 30, processes: int = 2) -> None:
        self._memory = memory
        self._turns = threading.Semaphore(processes)
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def warm(self) -> None:
        """Start a process, so that the first upload need not wait for it."""
        with self._worker():
            pass

    def check(self, path: Path, format: Format, seconds: float | None = None) -> TableFacts:
        """The facts of a file. Raises what `check_file` does, and Unreadable for a file that ends the process or takes
        it longer than `seconds` (None: 30, and one more for each 20 MB)."""
        most = _LEAST_SECONDS + path.stat().st_size / _BYTES_A_SECOND if seconds is None else seconds
        with self._worker() as worker:
            found = worker.ask({"path": str(path), "format": format}, most)
        return TableFacts.from_json(_sound(found)[0])

    def convert(self, body: bytes | bytearray, format: BodyFormat, schema: pa.Schema) -> tuple[bytes, int]:
        """The rows of a body as `bigviz.data.uploads.convert.converted` gives them. Raises what it does, and Unreadable
        for a body that ends the process or takes it longer than 30 s."""
        return self._converted(body, {"format": format}, schema)

    def convert_all(
        self, bodies: Sequence[tuple[bytes | bytearray, BodyFormat]], schema: pa.Schema
    ) -> list[tuple[bytes, int] | BigvizError]:
        """What `convert` gives of each body, or raises: small ones cost less together. Where the process ends, or takes
        too long, they are read one by one, and so are those that fail, so that none does because of another."""
        if len(bodies) > 1:
            told = [{"format": format, "bytes": len(body)} for body, format in bodies]
            with self._worker() as worker:
                request = {"bodies": told, "schema": _text(schema)}
                found = worker.ask(request, _LEAST_SECONDS, b"".join(body for body, _ in bodies))
            if found is not None:
                return [
                    self._converted_or_why(*body, schema) if again else made
                    for body, (made, again) in zip(bodies, _each(*found), strict=True)
                ]
        return [self._converted_or_why(body, format, schema) for body, format in bodies]

    def _converted_or_why(
        self, body: bytes | bytearray, format: BodyFormat, schema: pa.Schema
    ) -> tuple[bytes, int] | BigvizError:
        try:
            return self.convert(body, format, schema)
        except BigvizError as error:
            return error

    def convert_patch(self, body: bytes | bytearray, schema: pa.Schema, key: str | None) -> tuple[bytes, int]:
        """The rows of a patch as `bigviz.data.uploads.convert_patch.converted_patch` gives them. Raises what it does,
        and what `convert` does."""
        return self._converted(body, {"format": "patch", "key": key}, schema)

    def _converted(self, body: bytes | bytearray, request: dict[str, Any], schema: pa.Schema) -> tuple[bytes, int]:
        with self._worker() as worker:
            found = worker.ask({**request, "schema": _text(schema), "bytes": len(body)}, _LEAST_SECONDS, body)
        facts, payload = _sound(found)
        return payload, int(facts["rows"])

    def close(self) -> None:
        """End the processes; those that check a file end after it."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    @contextmanager
    def _worker(self) -> Iterator[_Worker]:
        """A process of one's own, from those that wait, else a new one."""
        with self._turns:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            worker = worker or _Worker(self._memory)
            try:
                yield worker
            finally:
                with self._lock:
                    keep = not self._closed and worker.sound
                    if keep:
                        self._idle.append(worker)
                if not keep:
                    worker.end()


class _Worker:
    """One process. `sound` until it fails, is ended, or has checked many files."""

    def __init__(self, memory: int) -> None:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("BIGVIZ")}  # some are secret
        environment = {**kept, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C in a terminal is the server's alone
            pipesize=_PIPE,
        )
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._asked = 0
        self.sound = True

    def ask(
        self, request: dict[str, Any], seconds: float, body: bytes | bytearray = b""
    ) -> tuple[dict[str, Any], bytes] | None:
        """The answer to a request with a body, and the bytes that come with it; None from a process that ends or does
        not answer in time, and is ended then."""
        self._asked += 1
        deadline = time.monotonic() + seconds
        found = None
        with suppress(OSError):  # it has ended
            self._send(json.dumps(request).encode() + b"\n", deadline)
            self._send(body, deadline)
            found = self._answer(deadline)
        # A process that failed at a file, or ran short of memory, may be in any state.
        answers = [] if found is None else found[0].get("answers", [found[0]])
        harmless = bool(answers) and all(each.get("kind") in _HARMLESS for each in answers)
        self.sound = harmless and self._asked < _MOST_ASKED
        if found is None:
            self.end()
        return found

    def end(self) -> None:
        """End the process, whatever it does."""
        self.sound = False
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _send(self, data: bytes | bytearray, deadline: float) -> None:
        assert self._process.stdin is not None
        descriptor = self._process.stdin.fileno()
        with memoryview(data) as rest:
            at = 0
            while at < len(rest):
                _wait(descriptor, select.POLLOUT, deadline)
                at += os.write(descriptor, rest[at:])

    def _answer(self, deadline: float) -> tuple[dict[str, Any], bytes] | None:
        found = bytearray()
        while b"\n" not in found:
            if len(found) > _LONGEST_LINE or not self._receive(found, deadline):
                return None
        line, _, rest = found.partition(b"\n")
        facts: dict[str, Any] = json.loads(line)
        while len(rest) < facts.get("bytes", 0):
            if not self._receive(rest, deadline):
                return None
        return facts, bytes(rest)

    def _receive(self, found: bytearray, deadline: float) -> bool:
        """Take what comes next; False where nothing will."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        _wait(descriptor, select.POLLIN, deadline)
        piece = os.read(descriptor, 1 << 20)
        found += piece
        return bool(piece)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    """Wait until a pipe is ready; TimeoutError, an OSError, where it is not in time."""
    waiting = select.poll()  # not select.select: a busy server has descriptors above 1,023
    waiting.register(descriptor, event)
    if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1e3):
        raise TimeoutError


def _text(schema: pa.Schema) -> str:
    """A schema as requests have it."""
    return b64encode(schema.serialize()).decode()


def _each(facts: dict[str, Any], payload: bytes) -> list[tuple[tuple[bytes, int] | BigvizError, bool]]:
    """The answers about bodies that came together, each with whether another one may be the reason for it."""
    found: list[tuple[tuple[bytes, int] | BigvizError, bool]] = []
    at = 0
    for each in facts["answers"]:
        if "kind" in each:
            found.append((_error(each), each["kind"] not in _HARMLESS))
            continue
        found.append(((payload[at : at + each["bytes"]], int(each["rows"])), False))
        at += each["bytes"]
    return found


def _error(facts: dict[str, Any]) -> BigvizError:
    kind: type[BigvizError] = _KINDS.get(facts["kind"], Unreadable)
    return kind(facts["message"], facts["field"], facts["got"])


def _sound(found: tuple[dict[str, Any], bytes] | None) -> tuple[dict[str, Any], bytes]:
    """The answer of a process. Raises the error that it tells of, and Unreadable without an answer."""
    if found is None:
        raise Unreadable("The upload could not be checked: reading it fails, or takes too long.", "body")
    facts, _ = found
    if "kind" in facts:
        raise _error(facts)
    return found
