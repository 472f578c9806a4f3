"""The process that checks uploads: `python -m bigviz.data.uploads.worker MEMORY` reads requests, a JSON line each, and
answers each by a line. Bytes that belong to a request, or to an answer, follow the line that counts them.

Its address space is limited to what it takes when it starts and MEMORY bytes more. It ends with its input.
"""

from __future__ import annotations

import json
import resource
import sys
from base64 import b64decode
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from bigviz.common.errors import BigvizError
from bigviz.data.uploads.check import check_file
from bigviz.data.uploads.convert import converted
from bigviz.data.uploads.convert_patch import converted_patch

__all__ = ["main"]

MOST_TOGETHER = 64 << 20
"""Bytes of batches, after which no more of the bodies that came together are read."""


def main() -> None:
    """Answer `{"path", "format"}` by the facts of the table, `{"bytes", "format", "schema"}` (and `key`, where the
    format is "patch") and a body by `{"rows", "bytes"}` and a batch, or both by `{"kind", "message", "field", "got"}`.
    `{"bodies": [{"bytes", "format"}, ...], "schema"}` and bodies are answered by `{"answers": [...], "bytes"}` and the
    batches, one after the other.
    """
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    limit(int(sys.argv[1]))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        request = json.loads(line)
        if "bodies" in request:
            facts, payloads = several(request, source)
            sink.write(json.dumps(facts).encode() + b"\n")
            for each in payloads:
                sink.write(each)
            sink.flush()
            continue
        body = source.read(request["bytes"]) if "bytes" in request else None
        facts, payload = answer(request, body)
        sink.write(json.dumps(facts).encode() + b"\n")
        if payload is not None:
            sink.write(payload)
        sink.flush()


def limit(memory: int) -> None:
    """Take at most so many bytes of address space more, leave no core file, and write no file."""
    most = _address_space() + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def several(request: dict[str, Any], source: BinaryIO) -> tuple[dict[str, Any], list[pa.Buffer]]:
    """What is written about bodies that come together, and the batches after it. Of those whose batches are more than
    64 MiB together, the last ones are not read, and are too large."""
    bodies = [(each["format"], source.read(each["bytes"])) for each in request["bodies"]]
    answers: list[dict[str, Any]] = []
    payloads: list[pa.Buffer] = []
    size = 0
    for format, body in bodies:
        if size > MOST_TOGETHER:
            answers.append({"kind": "TooLarge", "message": "", "field": "body", "got": None})
            continue
        facts, payload = answer({"format": format, "schema": request["schema"]}, body)
        answers.append(facts)
        if payload is not None:
            payloads.append(payload)
            size += payload.size
    return {"answers": answers, "bytes": size}, payloads


def answer(request: dict[str, Any], body: bytes | None) -> tuple[dict[str, Any], pa.Buffer | None]:
    """What is written about one file or body, and the bytes after it."""
    try:
        if body is None:
            return check_file(Path(request["path"]), request["format"]).to_json(), None
        schema = _schema(request["schema"])
        if request["format"] == "patch":
            batch, rows = converted_patch(body, schema, request["key"])
        else:
            batch, rows = converted(body, request["format"], schema)
        return {"rows": rows, "bytes": batch.size}, batch
    except BigvizError as error:
        got = error.got if isinstance(error.got, str | int | None) else None
        return {"kind": type(error).__name__, "message": error.message, "field": error.field, "got": got}, None
    except Exception as error:  # whatever else a file makes Arrow raise is the file's fault too
        message = f"The upload cannot be read: {type(error).__name__}."
        return {"kind": "Unreadable", "message": message, "field": "body", "got": None}, None


@lru_cache(maxsize=64)
def _schema(text: str) -> pa.Schema:
    """A schema that was written as an IPC message in base64."""
    return pa.ipc.read_schema(pa.py_buffer(b64decode(text)))


def _address_space() -> int:
    """Bytes of the process's address space."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
