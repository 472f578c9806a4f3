"""An app on a server, and pages that talk to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bigviz.server.apps.app import App
from bigviz.server.apps.process import Ready
from bigviz.server.apps.session import Page
from bigviz.server.jobs.usage import Usage
from bigviz.server.run.loading import Brought
from bigviz.wire.frames import Type

from ..running import Running, running
from ..wire import Browser


class AppPage(Browser):
    """A page of an app."""

    def __init__(self, url: str, document: str = "app", session: str | None = None, **options: Any) -> None:
        super().__init__(url, document, query="" if session is None else f"?session={session}", **options)
        self.session = self.hello.value["session"]

    def change(self, control: str, value: Any) -> int:
        return self.say(op="control", control=control, value=value)

    def push(self, key: str, **facts: Any) -> dict[str, Any]:
        """The next push with a key, and with these facts in it; an error of a request ends the wait."""

        def fits(got: Any) -> bool:
            if got.kind == Type.ERROR:
                return True
            return got.kind == Type.SESSION and key in got.value and facts.items() <= got.value[key].items()

        got = self.until(fits)[-1]
        assert got.kind == Type.SESSION, got.value
        found: dict[str, Any] = got.value[key]
        return found

    def notices(self, number: int) -> list[str]:
        """The texts of the next notices."""
        return [self.push("notify")["text"] for _ in range(number)]

    def refusal(self) -> dict[str, Any]:
        """The next error frame."""
        found: dict[str, Any] = self.until(lambda got: got.kind == Type.ERROR)[-1].value
        return found


def rowless(served: Running, page: Page) -> None:
    """Let the viewer of a page of the server's read no single rows from now on."""

    def take() -> None:
        assert page.shown is not None
        (name,) = page.shown.document.datasets
        page.shown = replace(page.shown, usage=Usage({name: frozenset({"x", "y"})}, frozenset({name})))

    served.on_loop(take)


@contextmanager
def apps(scripts: Sequence[tuple[str, Path]], **options: Any) -> Iterator[Running]:
    """A server with these apps, once they have started or failed."""
    names = [name for name, _ in scripts]
    found = [(name, str(path)) for name, path in scripts]
    with running([], names=names, load=lambda progress: Brought([], scripts=found), **options) as served:
        yield served


@contextmanager
def held_back(served: Running, app: App) -> Iterator[Callable[[], None]]:
    """Let an app be started again only when it is said."""
    event, start = served.on_loop(asyncio.Event), app.start

    async def started() -> Ready:
        await event.wait()
        return await start()

    app.start = started  # type: ignore[method-assign]
    try:
        yield lambda: served.on_loop(event.set)
    finally:
        app.start = start  # type: ignore[method-assign]
