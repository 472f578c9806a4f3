"""The engine for what a script serves: where tables are Dask DataFrames, the workers of their cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import frame_source

if TYPE_CHECKING:
    from bigviz.document.spec import Document
    from bigviz.server.run.index_options import Storage
    from bigviz.tiles.cluster.dask_engine import DaskEngine

__all__ = ["engine_of_frames"]


def engine_of_frames(document: Document, storage: Storage) -> DaskEngine | None:
    """An engine whose workers hold the Dask DataFrames of a document; None for a document without any. Raises BadInput
    for those of several clients, and what reaching the cluster does."""
    sources = [frame_source(each) for each in document.sources.values() if isinstance(each, Dataset)]
    clients = {id(each.client): each.client for each in sources if each is not None}
    if not clients:
        return None
    if len(clients) > 1:
        raise BadInput(
            f"The Dask DataFrames of a document are opened with one client, got {len(clients)}: serve them one by one.",
            "client",
        )
    from bigviz.server.run.on_cluster import engine_of_client  # Dask is loaded where it is used

    return engine_of_client(next(iter(clients.values())), storage, [document])
