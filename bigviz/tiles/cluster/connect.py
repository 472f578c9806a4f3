"""From an operator's words to the workers of a cluster: one that runs, or workers on this machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import dask
from distributed import Client
from distributed.security import Security
from distributed.utils import LoopRunner

from bigviz.common.disk.turn import turn
from bigviz.common.errors import BadInput
from bigviz.tiles.cluster.local_cluster import started
from bigviz.tiles.cluster.options import ClusterOptions
from bigviz.tiles.cluster.parts.shared_assignment import SharedAssignment
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.cluster.workers import Workers

__all__ = ["connect", "joined"]

_PATIENCE = 20.0  # seconds that another server may take to join
_SECONDS = 10  # for a scheduler to answer


def connect(options: ClusterOptions, settings: HostSettings, shared: Path | None = None) -> Workers:
    """The workers of a cluster. Servers that have the same `shared` file have workers hold each table once, for all of
    them. Raises BadInput where nothing answers, there are no workers, or one of them runs another version of
    bigviz."""
    dask.config.set({"distributed.comm.timeouts.connect": "5s"})
    if options.workers is not None:
        cluster = started(options.workers)
        return Workers(partial(Client, cluster, set_as_default=False), settings, cluster.close)
    runner = LoopRunner()  # for all clients: Dask never ends the loop of one that cannot connect, or that gave up
    runner.start()
    known = {"timeout": _SECONDS, "set_as_default": False, "loop": runner.loop, **_security(options)}
    try:
        join = partial(Client, options.scheduler, **known)
        if shared is None:
            return Workers(join, settings, runner.stop)
        with turn(shared.with_name(f"{shared.name}.joins"), _PATIENCE):  # what workers run is told by one
            return Workers(join, settings, runner.stop, SharedAssignment(shared))
    except TypeError as error:  # Dask's word for an address of TLS without certificates
        words = f"{options.scheduler} needs certificates: --scheduler-ca, --scheduler-cert and --scheduler-key."
        raise BadInput(f"No Dask scheduler answers at {options.scheduler}: {words}", "scheduler") from error
    except (OSError, TimeoutError, ValueError) as error:
        at = options.scheduler
        raise BadInput(f"No Dask scheduler answers at {at}: {error}", "scheduler", at) from error


def joined(client: Any, settings: HostSettings) -> Workers:
    """The workers of the cluster that a client is connected to, by a connection of its own. Raises as `connect`."""
    runner = LoopRunner()
    runner.start()
    at = client.scheduler.address
    known = {"timeout": _SECONDS, "set_as_default": False, "loop": runner.loop, "security": client.security}
    try:
        return Workers(partial(Client, at, **known), settings, runner.stop)
    except (OSError, TimeoutError, ValueError) as error:
        raise BadInput(f"No Dask scheduler answers at {at}: {error}", "client", at) from error


def _security(options: ClusterOptions) -> dict[str, Any]:
    """What Dask is told of TLS; without words its own configuration decides."""
    if options.ca is None and options.certificate is None and options.key is None:
        return {}
    names = {"tls_ca_file": options.ca, "tls_client_cert": options.certificate, "tls_client_key": options.key}
    given = {name: str(path) for name, path in names.items() if path is not None}
    return {"security": Security(require_encryption=True, **given)}
