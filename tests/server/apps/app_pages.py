"""An app on a server, and pages that talk to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


@contextmanager
def apps(scripts: Sequence[tuple[str, Path]], **options: Any) -> Iterator[Running]:
    """A server with these apps, once they have started or failed."""
    names = [name for name, _ in scripts]
    found = [(name, str(path)) for name, path in scripts]
    with running([], names=names, load=lambda progress: Brought([], scripts=found), **options) as served:
        yield served
