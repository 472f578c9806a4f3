"""What the server does so that a worker can open a table: it says where its files are, or brings it partitions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import pyarrow as pa
from distributed import get_worker

from bigviz.common.cancel import NEVER
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import frame_source
from bigviz.data.sources.dask_frame import DaskFrameSource, finished, kept_at_workers
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.parts.division import Part

__all__ = ["opening"]

_LOOK: Final = 0.02  # seconds between two looks at whether partitions have come


async def opening(dataset: Dataset, part: Part, worker: str, is_there: Callable[[], bool]) -> Answer:
    """What a worker is told to open a table, once it has the partitions of its part. Raises ConnectionError where it is
    not there any more, and Unreadable where partitions are lost."""
    told: dict[str, Any] = {"ask": "open", "dataset": part.dataset, "name": dataset.name}
    source = frame_source(dataset)
    if source is None:
        assert dataset.origin is not None
        return Answer({**told, "origin": asdict(dataset.origin)})
    await _bring(source, part, worker, is_there)
    rows = [each.rows for each in source.partitions]
    unusable = {str(at): list(each) for at, each in source.unusable.items()}
    return Answer({**told, "partitions": rows, "unusable": unusable}, (_schema_bytes(source.schema),))


async def _bring(source: DaskFrameSource, part: Part, worker: str, is_there: Callable[[], bool]) -> None:
    """Have a worker keep the partitions of a part."""
    loop = asyncio.get_running_loop()  # Dask's calls block here, and another loop may be the client's
    begin = partial(kept_at_workers, source, _keep, part.first, part.stop, worker)
    futures = await loop.run_in_executor(None, begin)
    while not all(each.done() for each in futures):
        if not is_there():
            raise ConnectionError(f"the worker at {worker} is gone")
        await asyncio.sleep(_LOOK)
    await loop.run_in_executor(None, finished, futures, NEVER)


def _keep(fingerprint: str, number: int, table: pa.Table) -> None:
    """Keep a partition. Runs on the worker that is to hold it."""
    get_worker().plugins["bigviz"].tables.keep(fingerprint, number, table)


def _schema_bytes(schema: pa.Schema) -> bytes:
    sink = pa.BufferOutputStream()
    pa.ipc.new_stream(sink, schema).close()
    return bytes(sink.getvalue())
