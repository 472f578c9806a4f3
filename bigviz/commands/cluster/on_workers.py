"""Documents whose tables the workers of a cluster hold, for one server or for several processes of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bigviz.server.run.options import Options

if TYPE_CHECKING:
    from bigviz.common.progress import Progress
    from bigviz.server.processes.front_end import FrontEnd
    from bigviz.tiles.cluster.options import ClusterOptions

__all__ = ["OnWorkers"]


class OnWorkers:
    """Loads documents as `load` does, and leaves the cluster when it is closed."""

    def __init__(self, load: Callable[..., Any], cluster: ClusterOptions, listening: dict[str, Any]) -> None:
        self._load, self._cluster = load, cluster
        self._stores = {name: listening[name] for name in ("store_dir", "store_limit", "index", "cache")}
        self._engines: list[Any] = []

    def load(self, progress: Progress, front_end: FrontEnd | None = None) -> Any:
        """Open the documents. The processes of one server have each table held once, and workers that are started here
        are in a process beside them, which it waits for."""
        from bigviz.server.run.on_cluster import Shared, engine_on

        brought = self._load(progress, front_end=front_end)
        shared = None if front_end is None else Shared(front_end.place("cluster"), front_end.count)
        engine = engine_on(self._cluster, Options(**self._stores).storage, brought.documents, shared)
        self._engines.append(engine)
        return replace(brought, engine=engine)

    def close(self) -> None:
        """Leave the cluster."""
        for engine in self._engines:
            engine.close()

    @property
    def hosts(self) -> bool:
        """Whether workers are started here."""
        return self._cluster.workers is not None

    def host(self, front_end: FrontEnd) -> int:
        """Run the workers of several processes, in a process of their own. Returns its exit status."""
        from bigviz.tiles.cluster.local_cluster import host_cluster

        workers, is_up = self._cluster.workers, partial(front_end.counts.loaded, front_end.number)
        assert workers is not None
        return host_cluster(workers, front_end.place("cluster"), front_end.lifeline, is_up)
