"""The process that checks uploads: `python -m bigviz.data.uploads.worker MEMORY` reads requests, a JSON line each, and
answers each by a line.

Its address space is limited to what it takes when it starts and MEMORY bytes more. It ends with its input.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from bigviz.common.errors import BigvizError
from bigviz.data.uploads.check import check_file

__all__ = ["main"]


def main() -> None:
    """Answer `{"path", "format"}` by the facts of the table or by `{"error", "kind", "message", "field"}`."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    pa.set_memory_pool(pa.system_memory_pool())
    limit(int(sys.argv[1]))
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answer(Path(request["path"]), request)), flush=True)


def limit(memory: int) -> None:
    """Take at most so many bytes of address space more, leave no core file, and write no file."""
    most = _address_space() + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def answer(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """What is written about one file."""
    try:
        return check_file(path, request["format"]).to_json()
    except BigvizError as error:
        return {"kind": type(error).__name__, "message": error.message, "field": error.field}
    except Exception as error:  # whatever else a file makes Arrow raise is the file's fault too
        return {"kind": "Unreadable", "message": f"The upload cannot be read: {type(error).__name__}.", "field": "body"}


def _address_space() -> int:
    """Bytes of the process's address space."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
