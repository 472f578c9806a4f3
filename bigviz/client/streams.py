"""Appending to a dataset of a plot server: rows as an Arrow IPC stream, sent again where that may be done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import pyarrow as pa

from bigviz.client.http import Http, route
from bigviz.client.refusals import Unreachable
from bigviz.client.rows import fitted, fitted_patch, stream_schema, table_of
from bigviz.client.uploads import CONTENT_TYPE
from bigviz.common.errors import Busy, Conflict, OutOfDate, TooMany
from bigviz.data.ipc_stream import ipc_stream

__all__ = ["Stream", "make_stream", "send_body", "send_patch", "send_rows"]

_WAITS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0)  # seconds before each further try: a server may start again
_INDEX: Final = "__index_level_"  # how Arrow names the index of a pandas frame that has no name


class Stream:
    """A dataset of a plot server that grows, made by `Connection.stream`. Any threads may share it: batches of several
    never interleave."""

    def __init__(self, http: Http, name: str, schema: pa.Schema) -> None:
        self.name = name
        self.schema = schema
        self._http = http

    def __repr__(self) -> str:
        return f"<stream {self.name!r} at {self._http.url}>"

    def append(self, rows: object) -> dict[str, Any]:
        """Append rows: `{"version", "offset", "rows", "durable"}`, once they are durable. All of them are appended, or
        none.

        `rows` is an Arrow table or batch, a frame of pandas or polars, or a mapping of names to lists or arrays. Values
        are converted to the schema where nothing is lost by it; BadInput where something would be. What fails on the
        way is sent again, and never appended twice. Raises Conflict where the columns differ, or after `close`,
        TooLarge for more than 64 MiB, NoSpace where the server's disk is full.
        """
        return send_rows(self._http, self.name, fitted(rows, self.schema))

    def patch(self, rows: object, key: str | None = None) -> dict[str, Any]:
        """Give rows other values: `{"version", "rows", "durable"}`, once they are durable. All of them, or none.

        `rows` is of what `append` takes, with the columns that change, and one that says which rows are meant: the
        column named by `key`, in which each has a value of its own, or without `key` the column `_row` of the numbers
        of rows, which `append` gives as `offset` and after. What fails on the way is sent again. Raises BadInput and a
        BigvizError for a row that is not there or comes twice, Conflict where the columns differ or several rows have
        one key, TooLarge for more than 64 MiB.
        """
        return send_patch(self._http, self.name, fitted_patch(table_of(rows), self.schema, key), key)

    def close(self) -> None:
        """Seal the dataset: nobody can append to it any more. Plots of it stay."""
        self._http.json("POST", route("datasets", self.name, "seal"))


def make_stream(http: Http, name: str, schema: pa.Schema | Mapping[str, Any], query: Mapping[str, object]) -> Stream:
    """The stream of that name, made where there is none. Raises Conflict for one with other columns."""
    schema = stream_schema(schema)
    given = {key: value for key, value in query.items() if value is not None}
    address = route("datasets", name) + (f"?{urlencode(given)}" if given else "")
    headers = {"Content-Type": CONTENT_TYPE, "If-None-Match": "*"}
    try:
        http.json("PUT", address, ipc_stream(schema.empty_table()), headers)
    except OutOfDate:  # it is there
        facts = http.json("GET", route("datasets", name))
        there = [(each["name"], each["type"]) for each in facts["columns"]]
        wanted = [(field.name, str(field.type)) for field in schema]
        if there != wanted:
            message = f"Dataset {name!r} is there, and has the columns {_listed(there)}, not {_listed(wanted)}."
            raise Conflict(message, "schema") from None
        for option, value in given.items():
            if facts.get(option) != value:
                message = f"Dataset {name!r} is there, and {option} is {facts.get(option, 'not set')!r}, not {value!r}."
                raise Conflict(message, option) from None
    return Stream(http, name, schema)


def send_rows(http: Http, name: str, rows: object) -> dict[str, Any]:
    """Append rows to a dataset, in one body: what the server answers."""
    try:
        return send_body(http, name, ipc_stream(table_of(rows)), CONTENT_TYPE)
    except Conflict as error:
        if f"column '{_INDEX}" in error.message:
            advice = "It is the index of the frame: `frame.reset_index(drop=True)` has none."
            raise Conflict(f"{error.message} {advice}", error.field, error.got) from error
        raise


def send_patch(http: Http, name: str, table: pa.Table, key: str | None) -> dict[str, Any]:
    """Patch a dataset by the rows of a table: what the server answers."""
    below = "patch" + ("" if key is None else f"?{urlencode({'key': key})}")
    return send_body(http, name, ipc_stream(table), CONTENT_TYPE, below)


def send_body(http: Http, name: str, body: bytes, kind: str, below: str = "append") -> dict[str, Any]:
    """Append the rows of a body, or what else is `below` the dataset's address. One that the server cannot take now, or
    whose answer is lost, is sent again under the same key, for about a quarter of a minute."""
    headers = {"Content-Type": kind, "Idempotency-Key": uuid4().hex}
    for wait in _WAITS:
        try:
            return http.json("POST", route("datasets", name, below), body, headers, twice=True)
        except TooMany as error:
            time.sleep(max(wait, error.retry_after))
        except (Unreachable, Busy):
            time.sleep(wait)
    return http.json("POST", route("datasets", name, below), body, headers, twice=True)


def _listed(columns: list[tuple[str, str]]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in columns)
