"""An engine whose tables are held by the workers of a cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigviz.common.memory import total_memory
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import frame_source, is_divisible
from bigviz.document.spec import Document
from bigviz.server.run.index_options import Storage
from bigviz.server.run.loading import stores_of
from bigviz.tiles.cluster.connect import connect, joined
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.local_cluster import options_of_host
from bigviz.tiles.cluster.options import ClusterOptions
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.cluster.workers import Workers

__all__ = ["Shared", "engine_of_client", "engine_on"]

_log = logging.getLogger("bigviz")

_HERE = 4  # this process takes a quarter of the memory for caches; workers that are started here share the rest


@dataclass(frozen=True)
class Shared:
    """What `count` servers of one machine share: a directory for them alone, in which `host_cluster` tells where the
    workers are that are started here, and all of them which worker holds what."""

    folder: Path
    count: int


def engine_on(
    options: ClusterOptions, storage: Storage, documents: Sequence[Document], shared: Shared | None = None
) -> DaskEngine:
    """The engine, whose workers hold the tables of documents as far as they can; the log says which ones they cannot.

    Raises BadInput where nothing answers, there are no workers, or one runs another version.
    """
    memory = storage.memory or total_memory() // 2
    each = None if options.workers is None else (memory - memory // _HERE) // options.workers
    directory = None if storage.directory is None else str(storage.directory.absolute())
    settings = HostSettings(directory, storage.limit, each, storage.index)
    divided = frozenset(_divided(documents))
    if shared is None:
        return _engine(connect(options, settings), storage, divided)
    where = options if options.workers is None else options_of_host(shared.folder)
    return _engine(connect(where, settings, shared.folder / "parts"), storage, divided, shared.count)


def engine_of_client(client: Any, storage: Storage, documents: Sequence[Document]) -> DaskEngine:
    """The engine, whose workers are those of a client and hold the Dask DataFrames of documents. It has a connection of
    its own to them. Raises what `engine_on` does."""
    sources = (each for document in documents for each in document.sources.values())
    frames = [each for each in sources if isinstance(each, Dataset) and frame_source(each) is not None]
    directory = None if storage.directory is None else str(storage.directory.absolute())
    workers = joined(client, HostSettings(directory, storage.limit, None, storage.index))
    return _engine(workers, storage, frozenset(each.fingerprint for each in frames))


def _engine(workers: Workers, storage: Storage, divided: frozenset[str], servers: int = 1) -> DaskEngine:
    """An engine whose workers hold the tables of these fingerprints, for one of so many servers."""
    mine = (storage.memory or total_memory() // 2) // _HERE // servers
    return DaskEngine(
        workers,
        mine // 2,
        mine // 2,
        divides=lambda dataset: dataset.fingerprint in divided,
        stores=None if storage.index == "never" else stores_of(storage),
        index=storage.index,
    )


def _divided(documents: Sequence[Document]) -> Iterator[str]:
    """The fingerprints of the tables that workers can hold."""
    sources = {id(each): each for document in documents for each in document.sources.values()}
    for dataset in sources.values():
        if isinstance(dataset, Dataset) and is_divisible(dataset):
            yield dataset.fingerprint
        elif isinstance(dataset, Dataset):
            _log.warning("%r is held by this process: workers hold tables of Parquet and Arrow files.", dataset.name)
