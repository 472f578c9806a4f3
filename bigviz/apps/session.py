"""One viewer's page as the callbacks of an app see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from bigviz.apps.selection import Selection
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, BigvizError

if TYPE_CHECKING:
    from bigviz.document.spec import Document

__all__ = ["App", "Session", "Timer"]

Function = TypeVar("Function", bound=Callable[..., Any])

_SHORTEST: Final = 0.05
_LONGEST: Final = 86_400.0
_MOST_TIMERS: Final = 16
_LONGEST_TEXT: Final = 1_000


class App(Protocol):
    """The app that a session belongs to."""

    def id_of(self, thing: object) -> tuple[str, str]:
        """Whether this is a layer, a figure or a control of the document, and its id. Raises BadInput."""

    def change(
        self, document: Document, kind: str, name: str, properties: Mapping[str, Any]
    ) -> tuple[Document, dict[str, Any]]:
        """The document with these properties, and the properties as JSON. Raises BadInput for what cannot be."""

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message to the server."""

    def ask(self, session: Session, message: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        """The server's answer to a question of a session."""


class Timer:
    """What `Session.every` returns."""

    def __init__(self, session: Session, number: int, call: Callable[..., Any]) -> None:
        self._session, self._number = session, number
        self.call = call

    def stop(self) -> None:
        """Call no more."""
        self._session._stop(self._number)


class Session:
    """A page that shows the app's document, from when it is opened until its viewer is gone; callbacks get it as their
    first argument. Its callbacks run one at a time, those of other sessions meanwhile."""

    def __init__(self, app: App, name: str, document: Document, user: str | None, values: Mapping[str, Any]) -> None:
        self._app = app
        self._name = name
        self._document = document
        self._values = dict(values)
        self._ranges: dict[str, tuple[Any, Any]] = {}
        self._selections: dict[str, Selection] = {}
        self._timers: dict[int, Timer] = {}
        self._timer_number = 0
        self._user = user

    def __repr__(self) -> str:
        return f"<Session of {self._user or 'somebody'} on {self._document.id}>"

    @property
    def user(self) -> str | None:
        """The name of the viewer; None for one who has not signed in."""
        return self._user

    @property
    def values(self) -> Mapping[str, Any]:
        """The value of each control by its id, as the page has it; not to be written to: see `set`."""
        return MappingProxyType(self._values)

    def set(self, thing: object, **properties: Any) -> None:
        """Change properties of a layer, a figure or a control in this page alone; nothing else of it is drawn anew.

        `thing` is the object or its id in the document; a figure's layers are in `figure.layers`. A layer has those of
        `figure.points` and `figure.line` (x, y, agg, filter, cmap, …), a figure `title`, `x_range` and `y_range`, a
        control `value`, `label`, `options` and what else its function takes. Setting a value calls no `on_change`.
        Raises BadInput, and what the glyph's own call does.
        """
        kind, name = self._app.id_of(thing)
        if not properties:
            return
        self._document, plain = self._app.change(self._document, kind, name, properties)
        if kind == "control" and "value" in plain:
            self._values[name] = plain["value"]
        self._app.tell({"op": "set", "session": self._name, "kind": kind, "id": name, "properties": plain})

    def notify(self, text: str) -> None:
        """Show a sentence in the page for a while."""
        if not isinstance(text, str) or not 1 <= len(text) <= _LONGEST_TEXT:
            raise BadInput(f"A notice is a text of 1 to {_LONGEST_TEXT:,} characters, got {echoed(text, 60)}.", "text")
        self._app.tell({"op": "notify", "session": self._name, "text": text})

    def every(self, seconds: float, call: Callable[[Session], Any]) -> Timer:
        """Call `call(session)` so often while the page is open; a call that is due while another callback of the
        session runs comes once, after it. `stop` of what is returned ends it."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not _SHORTEST <= seconds <= _LONGEST:
            expected = f"every takes {_SHORTEST} to {_LONGEST:,.0f} seconds"
            raise BadInput(f"{expected}, got {echoed(seconds, 40)}.", "seconds", echoed(seconds, 40))
        if not callable(call):
            raise BadInput(f"every calls a function, got {type(call).__name__}.", "call", type(call).__name__)
        if len(self._timers) >= _MOST_TIMERS:
            raise BadInput(f"A session has at most {_MOST_TIMERS} timers: stop one first.", "seconds")
        self._timer_number += 1
        number = self._timer_number
        self._timers[number] = timer = Timer(self, number, call)
        self._app.tell({"op": "every", "session": self._name, "timer": number, "seconds": float(seconds)})
        return timer

    def selection(self, figure: object) -> Selection | None:
        """What the viewer has selected in a figure; None where nothing is."""
        kind, name = self._app.id_of(figure)
        if kind != "figure":
            raise BadInput(f"A selection is one of a figure, got a {kind}.", "figure", name)
        return self._selections.get(name)

    def range(self, figure: object) -> tuple[Any, Any, Any, Any] | None:
        """The window (x0, x1, y0, y1) that a figure shows, in axis space, times as nanoseconds; None until the page has
        told it, which it does for figures with `on_range`."""
        kind, name = self._app.id_of(figure)
        for each in self._document.figures():
            if kind == "figure" and each.id == name:
                x, y = self._ranges.get(each.x_range), self._ranges.get(each.y_range)
                return None if x is None or y is None else (*x, *y)
        raise BadInput(f"A window is one of a figure, got a {kind}.", "figure", name)

    def _stop(self, number: int) -> None:
        if self._timers.pop(number, None) is not None:
            self._app.tell({"op": "every", "session": self._name, "timer": number, "seconds": None})

    # --- for the process that runs the callbacks ---------------------------------------------------------------------

    def _restore(self, kind: str, name: str, properties: Mapping[str, Any]) -> None:
        """Take what was set in this page before the app's process was replaced, if its document still has it."""
        with suppress(BigvizError):
            self._document, _ = self._app.change(self._document, kind, name, properties)

    def _learn(self, values: Mapping[str, Any], ranges: Mapping[str, Any], selections: Mapping[str, Any]) -> None:
        """Take what the page has changed since the last call."""
        self._values.update(values)
        self._ranges.update({name: (_end(a), _end(b)) for name, (a, b) in ranges.items()})
        for figure, found in selections.items():
            if found is None:
                self._selections.pop(figure, None)
            else:
                self._selections[figure] = Selection(self._ask, found)

    def _timer(self, number: int) -> Callable[..., Any] | None:
        timer = self._timers.get(number)
        return None if timer is None else timer.call

    def _ask(self, message: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        return self._app.ask(self, message)


def _end(value: Any) -> Any:
    """An end of a range: whole nanoseconds are texts on their way."""
    return int(value) if isinstance(value, str) else value
