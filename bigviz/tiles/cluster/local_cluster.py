"""Workers on this machine: those of one server, or of several, in a process of their own."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import dask
from distributed import LocalCluster, Nanny
from distributed.security import Security

from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.errors import BadInput
from bigviz.common.workers import usable_cores
from bigviz.tiles.cluster.options import ClusterOptions

__all__ = ["dask_setup", "host_cluster", "options_of_host", "started"]

_FILES: Final = ("ca.pem", "certificate.pem", "key.pem")
_ADDRESS: Final = "address.json"
_LOOK: Final = 0.05  # seconds between two looks whether a cluster is there


def started(workers: int, security: Security | None = None, port: int = 0) -> LocalCluster:
    """So many workers in processes of this machine. Nobody else can reach them, not even its other users, since whoever
    can reach them can have them run any code. Raises BadInput where the package that makes their key is not
    installed."""
    dask_setup()
    with dask.config.set({"distributed.scheduler.http.routes": []}):
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=max(1, usable_cores() // workers),
            host="127.0.0.1",
            scheduler_port=port,
            security=security or _of_its_own(),
            dashboard_address="127.0.0.1:0",  # without one Dask listens on all interfaces
            worker_dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            worker_class=_WithoutDashboard,
            memory_limit=0,  # each bounds its own caches, and a worker that is ended by Dask loses its indexes
            preload=[*dask.config.get("distributed.worker.preload"), __name__],
        )


class _WithoutDashboard(Nanny):  # type: ignore[misc]
    """Of a worker that shows nothing of itself: dashboards ask nobody for a key."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "dashboard": False})


def dask_setup(worker: object = None) -> None:
    """Have Dask log a connection that breaks in one line. Called by Dask in each worker that `started` begins."""
    for handler in logging.getLogger("distributed").handlers:
        handler.addFilter(_ONE_LINE)


class _OneLine(logging.Filter):
    """Leaves out the traceback of an OSError, such as that of a heartbeat which a busy machine answers too late."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError):
            why = " ".join(str(error).split()) or type(error).__name__
            record.msg, record.args = "%s: %s", (record.getMessage().rstrip("."), why)
            record.exc_info = record.exc_text = None
        return True


_ONE_LINE: Final = _OneLine()


def host_cluster(workers: int, folder: Path, lifeline: int, is_up: Callable[[], None]) -> int:
    """Run workers for all servers that find the address in a folder (`options_of_host`), until SIGTERM comes or
    `lifeline` is readable. Returns the exit status of this process. `is_up` is called once they are there. A process
    that takes the place of another, with the same folder, has the same address and key, so servers find its workers by
    themselves.

    The folder must be for this user alone: whoever has the key can have the workers run any code. Raises BadInput.
    """
    os.setsid()  # a terminal's Ctrl-C is for the servers, which end before their workers
    ends, ask = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(ask, b"x"))
    known = _known(folder)
    port = 0 if known is None else int(str(known.scheduler).rpartition(":")[2])
    with started(workers, _security_in(folder), port) as cluster:
        with written_aside(folder / _ADDRESS) as file:
            file.write(json.dumps(cluster.scheduler_address).encode())
        is_up()
        select.select([lifeline, ends], [], [])
    return 0


def options_of_host(folder: Path) -> ClusterOptions:
    """How a server connects to the workers that `host_cluster` runs; waits until they are there."""
    while (known := _known(folder)) is None:
        time.sleep(_LOOK)
    return known


def _known(folder: Path) -> ClusterOptions | None:
    with suppress(FileNotFoundError):
        address = json.loads((folder / _ADDRESS).read_bytes())
        ca, certificate, key = (folder / name for name in _FILES)
        return ClusterOptions(address, None, ca, certificate, key)
    return None


def _security_in(folder: Path) -> Security:
    """TLS with the key in a folder, which is made where there is none. Raises what `started` does."""
    ca, certificate, key = (folder / name for name in _FILES)
    if not key.exists():
        made = _of_its_own()
        texts = ((ca, made.tls_ca_file), (certificate, made.tls_client_cert), (key, made.tls_client_key))
        for path, text in texts:
            with written_aside(path) as file:
                os.chmod(file.fileno(), 0o600)
                file.write(text.encode())
    roles = ("client", "scheduler", "worker")
    own = {f"tls_{role}_{name}": str(path) for role in roles for name, path in (("cert", certificate), ("key", key))}
    return Security(require_encryption=True, tls_ca_file=str(ca), **own)


def _of_its_own() -> Security:
    """TLS with a key that only these processes have, and that each of them has to show."""
    try:
        return Security.temporary()
    except ImportError:
        words = "--workers takes the package cryptography, which is not installed: pip install 'bigviz[cluster]'."
        raise BadInput(words, "workers") from None
