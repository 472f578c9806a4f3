"""What the JSON routes share: bodies of JSON, expected versions, pages of lists."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, BigvizError, OutOfDate
from bigviz.library.items import Expect
from bigviz.library.listing import MOST
from bigviz.server.error_json import describe, dump, status_of
from bigviz.server.http.preconditions import expected
from bigviz.server.http.request_body import BodyHandler
from bigviz.server.request_json import parse_body
from bigviz.server.request_values import choice, whole

__all__ = ["LISTED", "ApiHandler"]

LISTED: Final = 50
"""Items on a page of a list, unless the query has a `limit`."""


class ApiHandler(BodyHandler):
    """A route below `/_/api/`."""

    keys: ClassVar[frozenset[str]] = frozenset()  # of the query

    @property
    def expect(self) -> Expect:
        """The version that the client expects to change."""
        return expected(self.request.headers)

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        await super().run(self._checked(work))

    async def _checked(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work if the query has only keys that the route knows: another is a mistake that would go unnoticed."""
        for key in self.request.query_arguments:
            if key not in self.keys:
                work.close()
                known = ", ".join(sorted(self.keys)) or "none"
                raise BadInput(f"The query has no key {echoed(key, 60)} here, it has: {known}.", "query", key[:60])
        await work

    def page(self, sorts: tuple[str, ...]) -> dict[str, Any]:
        """What the query says of a page of a list: q, sort, limit and after."""
        limit, sort = self.query("limit"), self.query("sort")
        return {
            "q": self.query("q") or "",
            "sort": sorts[0] if sort is None else choice(sort, "sort", sorts),
            "limit": LISTED if limit is None else whole(limit, "limit", 1, MOST),
            "after": self.query("after"),
        }

    def value(self, *required: str, optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The body, a JSON object of these keys and no others. Raises BadInput."""
        return parse_body(bytes(self.body), required, dict(optional or {}))

    def page_of(self, name: str) -> str:
        """The whole address of a document's page."""
        return self.address_of(f"{quote(name, safe='')}/")

    def versioned(self, version: int) -> None:
        """Tell the version in the ETag too."""
        self.set_header("Etag", f'"{version}"')

    def fail(self, error: BigvizError) -> None:
        """Answer with an error; one about versions tells the one that is there."""
        if not isinstance(error, OutOfDate):
            super().fail(error)
            return
        self.restart(status_of(error))
        if error.version is not None:
            self.versioned(error.version)
        self.finish(dump({**describe(error), "version": error.version}))
