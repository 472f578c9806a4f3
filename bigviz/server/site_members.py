"""What a site asks of those that it brings together: browsers that look, the other processes, and apps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from bigviz.server.access.people import Guest

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from bigviz.apps.script_failure import Failure
    from bigviz.common.errors import BigvizError
    from bigviz.server.apps.session import Page
    from bigviz.server.documents.opened import Shown
    from bigviz.server.websocket.session_requests import SessionRequest

__all__ = ["Apps", "Others", "Viewer"]


class Viewer(Guest, Protocol):
    """A browser that looks at a document, `shown` once it is open; `announced` is the version it was told of last."""

    shown: Shown | None
    announced: int | None

    @property
    def settled(self) -> bool:
        """Whether the browser has what it asked for since its data was renewed last."""

    @property
    def follows(self) -> bool:
        """Whether the browser is sent what appended rows change; others are told to ask anew."""

    def wake(self) -> None:
        """Tell one that follows that there may be newer data."""

    def tell(self, failure: Failure) -> None:
        """Tell the browser why the script failed."""

    def read(self, report: dict[str, Any]) -> None:
        """Tell a browser that waits for its document how much of the files has been read."""

    def refuse(self, error: BigvizError) -> None:
        """Say why the document cannot be shown any more, and close the connection."""

    def announce(self, version: int) -> None:
        """Say that the document has this version now; the browser goes on with the one it shows."""

    def note(self, dataset: str, notes: Sequence[str]) -> None:
        """Say that these are the notes of a dataset now."""

    def renew(self, shown: Shown, times: Mapping[str, float | None]) -> None:
        """Go on with the same document over other data; `times`: when datasets were appended to last."""


class Others(Protocol):
    """The other processes behind the same port."""

    def place_for(self, handler: type[Any], request: HTTPServerRequest, arguments: Sequence[bytes]) -> str | None:
        """Where the process is that has to answer a request; None for this one."""

    @property
    def is_behind(self) -> bool:
        """Whether the others have answered for something that this process has not read yet."""

    async def caught_up(self) -> None:
        """Wait until this process has what the others have answered for."""

    @property
    def viewers(self) -> int:
        """The browsers of all processes."""

    async def metrics(self, own: bytes) -> bytes:
        """What all processes count, given what this one does, in the format of `/metrics`."""

    async def ask_keeper(self, selection: str, question: Mapping[str, Any]) -> tuple[Any, bytes] | None:
        """What the process answers that keeps a selection, None where that is this one; see `answer_of`."""


class Apps(Protocol):
    """The apps of a server, and the sessions of pages."""

    @property
    def names(self) -> Sequence[str]:
        """The documents of the apps."""

    async def join(self, page: Page, shown: Shown, wanted: str | None) -> dict[str, Any] | None:
        """What a page gets of its session in `hello`; None for a document that has none. Raises Busy."""

    def leave(self, page: Page) -> None:
        """A page is gone."""

    async def take(self, page: Page, request: SessionRequest) -> None:
        """Take what a page says of its session."""
