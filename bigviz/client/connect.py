"""`bigviz.connect`: a plot server, from a script."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, Final, Literal, cast
from urllib.parse import urlencode

import pyarrow as pa

from bigviz.client.http import Http, route
from bigviz.client.refusals import Unreachable
from bigviz.client.streams import Stream, make_stream, send_body, send_patch, send_rows
from bigviz.client.uploads import CONTENT_TYPE, content_hash, pieces, with_bar
from bigviz.client.watch import Watch
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, NotFound, OutOfDate
from bigviz.data.dataset import Dataset
from bigviz.data.given import given_text
from bigviz.data.open import open as open_dataset
from bigviz.data.sources.frames import to_table
from bigviz.document.document import as_document, document
from bigviz.document.figure import Figure
from bigviz.document.layout import Box
from bigviz.document.load import load
from bigviz.document.names import check_name, plain_name
from bigviz.document.spec import Document

__all__ = ["DEFAULT_URL", "Connection", "connect", "server_address"]

DEFAULT_URL: Final = "http://127.0.0.1:5006"
_MOST_TRIES: Final = 5
_LISTED: Final = 1_000  # of a list, in one answer
_HASH: Final = 12  # characters of it in a name
_STEM: Final = 160  # characters of the name before it


def connect(url: str | None = None, token: str | None = None) -> Connection:
    """Connect to a plot server.

    `url` is its address, by default what the environment variable BIGVIZ_URL says, else http://127.0.0.1:5006. `token`
    says who you are, by default BIGVIZ_TOKEN; a server without users, on the same machine, needs none. A token that
    goes over plain http:// to another machine gives a UserWarning. Raises BadInput for what is no address or no token,
    Unauthorized for a wrong token, and a BigvizError that says how to start a server where none answers.
    """
    is_given = token is not None and (not isinstance(token, str) or token != "")
    known = token if is_given else os.environ.get("BIGVIZ_TOKEN") or None
    made = Connection(Http(server_address(url), known))
    made.check()
    return made


def server_address(url: str | None) -> str:
    """The address of the plot server that is meant: `url`, else what BIGVIZ_URL says, else this machine's. Raises
    BadInput for what is no text."""
    given = None if url is None else given_text(url, "url", DEFAULT_URL)
    return given or os.environ.get("BIGVIZ_URL") or DEFAULT_URL


class Connection:
    """A plot server, made by `bigviz.connect`. Each call is one or more requests; any threads may share it.

    All calls raise what the server refuses: Unauthorized, Forbidden, NotFound, Conflict, BadInput and so on, with its
    sentence, and a BigvizError where it does not answer.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self._versions: dict[str, int] = {}  # of the datasets that were put here

    @property
    def url(self) -> str:
        """The server's address."""
        return self._http.url

    @property
    def http(self) -> Http:
        """Its requests, for what has no method here."""
        return self._http

    def __repr__(self) -> str:
        return f"<bigviz at {self.url}>"

    def check(self) -> None:
        """Raise where no server answers, or where it does not know the token."""
        try:
            self._http.json("GET", "/healthz")
        except NotFound as error:  # an address below the server's own
            message = f"{self.url} is no plot server: give its address without the name of a document."
            raise Unreachable(message, "url", self.url) from error

    def publish(
        self,
        name: str,
        plot: Document | Figure | Box | Mapping[str, Any] | str | os.PathLike[str],
        public: bool = False,
    ) -> dict[str, Any]:
        """Publish a plot under a name: `{"name", "version", "url"}`, once it is on the server's disk.

        `plot` is a figure, a layout, a document, or what `bigviz.load` takes. Tables that the server does not have
        (lists, frames, Arrow, files of this machine) are uploaded, each content once; texts that name datasets of the
        server go as they are. A name that is taken gets a new version, where you may write it and the content differs.

        A new document can be seen by its owner and by admins; `public=True` lets everyone see it who can reach the
        server. False leaves it as it is.
        """
        check_name(name)
        made = self._uploaded(_document(name, plot))
        try:
            answer = self._http.send("PUT", route("documents", name), made.to_json())
        except NotFound as error:  # what is not there would have been made
            message = f"{name!r} is the name of a document that you may not see: choose another name."
            raise NotFound(message, "name", name) from error
        if public:
            self._open_to_all(name)
        return answer

    def unpublish(self, name: str) -> None:
        """Take a document away. Its address is then free; tables that were uploaded for it alone go too."""
        self._http.json("DELETE", route("documents", name))

    def documents(self) -> list[dict[str, Any]]:
        """The documents that you may see, the last changed first: `name`, `title`, `owner`, `public`, `role`,
        `version`, `rows`, `bytes` and `updated` (seconds since 1970)."""
        return self._listed("documents")

    def open(self, name: str) -> Document:
        """A document of the server, as `bigviz.load` gives it: its datasets are names. It can be published again."""
        return load(self._http.json("GET", route("documents", name)))

    def upload(self, name: str, table: object, *, attached: bool = False) -> dict[str, Any]:
        """Put a table under a name, for any documents: `{"name", "version", "rows"}`.

        `table` is whatever `bigviz.open` takes. A dataset that is there is replaced, where you may write it: pages
        that show it draw the new rows without a reload. An `attached` one goes when no document names it any more.
        """
        check_name(name)
        if not isinstance(attached, bool):
            raise BadInput(f"attached is True or False, got {echoed(attached)}.", "attached", echoed(attached))
        return self._put(name, open_dataset(table), None, attached)

    def stream(
        self,
        name: str,
        schema: pa.Schema | Mapping[str, Any],
        *,
        order_by: str | None = None,
        rollover_rows: int | None = None,
        rollover_bytes: int | None = None,
        rollover_age: float | None = None,
    ) -> Stream:
        """A dataset that grows: made where there is none of that name, else the one that is there.

        `schema` is an Arrow schema, or a mapping of names to Arrow types such as `{"time": "timestamp[us]", "price":
        "float64"}`. `append(rows)` of the stream appends a table of any kind and returns `{"version", "offset", "rows",
        "durable"}`, `patch(rows)` gives rows other values, `close()` seals the dataset; pages that show it follow.

        The last `rollover_rows` rows are kept, those of the last appends that take no more than `rollover_bytes` bytes
        in the server's log, and those that came in the last `rollover_age` seconds; of several rules, a row is kept
        that all of them keep. `order_by` names the column that the rows are in order of, for people: late rows are
        drawn in their place with or without it. Raises Conflict where the dataset is there with other columns, or with
        another value of what is given.
        """
        check_name(name)
        rules = {"rollover_rows": rollover_rows, "rollover_bytes": rollover_bytes, "rollover_age": rollover_age}
        for key, value in rules.items():
            _check_rule(key, value)
        query = {"order_by": None if order_by is None else given_text(order_by, "order_by", "time"), **rules}
        return make_stream(self._http, name, schema, query)

    def append(self, name: str, table: object) -> dict[str, Any]:
        """Append a table to a dataset: `{"version", "offset", "rows", "durable"}`, once the rows are durable.

        `table` is an Arrow table or batch, a frame of pandas or polars, or a mapping of names to lists or arrays, with
        the columns and types of the dataset; `Stream.append` converts types. See there for what is sent again.
        """
        check_name(name)
        return send_rows(self._http, name, table)

    def patch(self, name: str, table: object, key: str | None = None) -> dict[str, Any]:
        """Give rows of a dataset other values: `{"version", "rows", "durable"}`, see `Stream.patch`. Columns have the
        types of the dataset."""
        check_name(name)
        return send_patch(self._http, name, table if isinstance(table, pa.Table) else to_table(table)[0], key)

    def append_body(self, name: str, body: bytes, kind: str) -> dict[str, Any]:
        """Append rows as they would be sent by hand: `kind` is the content type, such as `application/x-ndjson`."""
        check_name(name)
        return send_body(self._http, name, body, kind)

    def watch(self, name: str, after: int | None = None) -> Watch:
        """What is appended to a dataset, append by append, as it comes: an iterator of batches with `version`, `offset`
        (the number of the first row) and `rows`, an Arrow record batch.

        It begins after version `after`, by default after the one that is there now, and goes on where it was when the
        connection breaks or the server starts anew. It ends when the dataset is sealed. What patches change does not
        come. Raises Gone where rows after `after` were rolled over before they could be read, NotFound when the dataset
        is taken away, and other refusals.
        """
        check_name(name)
        if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
            raise BadInput(f"after is a version, 0 or more, or None, got {echoed(after)}.", "after", echoed(after))
        return Watch(self._http, name, after)

    def datasets(self) -> list[dict[str, Any]]:
        """The datasets that you may see: `name`, `owner`, `public`, `role`, `version`, `rows`, `bytes`, `updated`."""
        return self._listed("datasets")

    def _listed(self, what: Literal["documents", "datasets"]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = None
        while True:
            query = {"limit": _LISTED} | ({} if after is None else {"after": after})
            answer = self._http.json("GET", f"/_/api/{what}?{urlencode(query)}")
            found += answer[what]
            after = answer["next"]
            if after is None:
                return found

    def _open_to_all(self, name: str) -> None:
        path = route("documents", name, "access")
        access = self._http.json("GET", path)
        if not access["public"]:
            self._http.send("PUT", path, {**access, "public": True})

    def _uploaded(self, made: Document) -> Document:
        """The document with the tables that it was made of on the server."""
        names = {name: self._upload_once(name, cast(Dataset, table)) for name, table in made.sources.items()}
        return replace(made.with_datasets(names), sources={})

    def _upload_once(self, name: str, table: Dataset) -> str:
        """The name under which the server has a table, by its content: uploaded unless it is there."""
        digest, size = content_hash(table)
        stem = f"{plain_name(name, _STEM)}.{digest[:_HASH]}"
        for number in range(1, _MOST_TRIES + 1):
            wanted = stem if number == 1 else f"{stem}-{number}"
            if self._version(wanted) is not None:
                return wanted
            try:
                self._put(wanted, table, size, attached=True)
            except NotFound:  # somebody else's, of whom we may not know
                continue
            return wanted
        raise NotFound(
            f"The server keeps no table under the name {stem!r}: name your table otherwise.", "dataset", name
        )

    def _put(self, name: str, table: Dataset, size: int | None, attached: bool) -> dict[str, Any]:
        path = route("datasets", name) + ("?attached=1" if attached else "")
        version = self._versions.get(name) or self._version(name)
        for _ in range(_MOST_TRIES):
            expected = {"If-None-Match": "*"} if version is None else {"If-Match": f'"{version}"'}
            body = with_bar(name, pieces(table), size)
            try:
                answer = self._http.json("PUT", path, body, {"Content-Type": CONTENT_TYPE, **expected})
            except OutOfDate as error:  # somebody else has put one meanwhile
                version = error.version
                continue
            self._versions[name] = answer["version"]
            return answer
        raise OutOfDate(f"Dataset {name!r} is changed by others all the time: try again.", "name", name, version)

    def _version(self, name: str) -> int | None:
        """The version of a dataset; None where there is none that we may see."""
        try:
            found: int | None = self._http.json("GET", route("datasets", name)).get("version")
        except NotFound:
            return None
        return found


def _document(name: str, plot: Document | Figure | Box | Mapping[str, Any] | str | os.PathLike[str]) -> Document:
    if isinstance(plot, Document):
        return as_document(plot).renamed(name)
    if isinstance(plot, Mapping | str | os.PathLike):
        return load(plot).renamed(name)
    return document(plot, id=name)


def _check_rule(name: str, value: object) -> None:
    """Raise BadInput for a number of rows, bytes or seconds that is none, or not above 0."""
    is_number = isinstance(value, Real if name == "rollover_age" else Integral) and not isinstance(value, bool)
    if value is None or (is_number and 0 < value < float("inf")):  # type: ignore[operator]
        return
    number = "a number of seconds" if name == "rollover_age" else f"a whole number of {name.removeprefix('rollover_')}"
    raise BadInput(f"{name} is {number} above 0, or None, got {echoed(value)}.", name, echoed(value))
