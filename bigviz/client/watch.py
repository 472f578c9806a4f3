"""What is appended to a dataset of a plot server, as it comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from itertools import chain
from typing import Final

import pyarrow as pa

from bigviz.client.http import Http, route
from bigviz.client.refusals import Unreachable
from bigviz.common.errors import Busy, TooMany

__all__ = ["Batch", "Watch"]

_WAITS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)  # seconds before the next try, the last one for all that follow
_TRIES: Final = 60  # without anything, after which no server is there any more
_BROKEN: Final = (OSError, HTTPException, pa.ArrowException, Unreachable, Busy, TooMany)


@dataclass(frozen=True)
class Batch:
    """The rows of one append: the version of the dataset that it made, the number of its first row, and the rows."""

    version: int
    offset: int
    rows: pa.RecordBatch


class Watch(Iterator[Batch]):
    """What `Connection.watch` gives. `close`, or the end of a `with` block, ends it. Not for several threads."""

    def __init__(self, http: Http, name: str, after: int | None) -> None:
        """The first request is made at once, so nothing is missed that comes after the call."""
        self._http = http
        self._name = name
        self._after = after
        self._ended = False
        self._open()

    def __next__(self) -> Batch:
        while not self._ended:
            try:
                batch = next(self._batches)
            except StopIteration:
                self.close()
            except _BROKEN:
                self._open_again()
            except BaseException:
                self.close()
                raise
            else:
                self._after = batch.version
                return batch
        raise StopIteration

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Read no more; a second call does nothing."""
        self._ended = True
        self._answer.__exit__(None, None, None)

    def _open(self) -> None:
        query = "" if self._after is None else f"?after={self._after}"
        self._answer = self._http.reading(route("datasets", self._name, "batches") + query)
        response = self._answer.__enter__()
        self._after = int(response.headers["X-Bigviz-Version"])
        self._batches = _read(response)

    def _open_again(self) -> None:
        """Connect again, as soon as that is possible. Raises what the server refuses, and Unreachable."""
        self._answer.__exit__(None, None, None)
        for wait in chain(_WAITS, [_WAITS[-1]] * _TRIES):
            time.sleep(wait)
            try:
                self._open()
                return
            except (Unreachable, Busy, TooMany) as error:
                lost = error
        raise lost


def _read(response: object) -> Iterator[Batch]:
    """The batches of one answer, parts of an append put together."""
    parts: list[pa.RecordBatch] = []
    offset = 0
    with pa.ipc.open_stream(response) as reader:
        while True:
            try:
                batch, about = reader.read_next_batch_with_custom_metadata()
            except StopIteration:
                return
            offset = offset if parts else int(about[b"offset"])
            parts.append(batch)
            if about[b"rest"] == b"0":
                whole = parts[0] if len(parts) == 1 else pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
                parts = []
                yield Batch(int(about[b"version"]), offset, whole)
