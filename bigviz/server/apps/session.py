"""The state of one page beyond what its document says: what its viewer and the app have changed."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bigviz.common.errors import Conflict, TooLarge

if TYPE_CHECKING:
    from bigviz.server.access.principal import Principal
    from bigviz.server.documents.opened import Shown

__all__ = ["Fresh", "Page", "Session", "no_session"]

Holder = tuple[str, str | None, str | None]


class Page(Protocol):
    """A browser's page with a session."""

    name: str
    principal: Principal
    shown: Shown | None
    session: Session | None

    def push(self, what: Mapping[str, Any]) -> None:
        """Send a `session` message."""

    async def look(self) -> None:
        """Bring `shown` up to what is there now, of a page whose connection another process has."""


@dataclass
class Fresh:
    """What the process of the app has not been told yet."""

    values: dict[str, Any] = field(default_factory=dict)
    ranges: dict[str, Any] = field(default_factory=dict)
    selections: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Session:
    """`values` are of controls and `ranges` of the document's ranges, both by name, `selections` of figures; `things`
    are the properties of layers, figures and controls that the app has set, by kind and id. `pages` are the pages that
    share it: one, unless the server is `--shared`. `sequence` counts its changes.
    """

    document: str
    holder: Holder | None
    user: str | None
    most: int
    values: dict[str, Any]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    ranges: dict[str, Any] = field(default_factory=dict)
    selections: dict[str, Any] = field(default_factory=dict)
    things: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    pages: set[Page] = field(default_factory=set)
    sequence: int = 0
    known: bool = False
    fresh: Fresh = field(default_factory=Fresh)
    timers: dict[int, float] = field(default_factory=dict)
    ticking: dict[int, asyncio.TimerHandle] = field(default_factory=dict)
    expiry: asyncio.TimerHandle | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def change(self, values: Mapping[str, Any] = {}, ranges: Mapping[str, Any] = {},
               origin: Page | None = None, request: int = 0) -> None:  # fmt: skip
        """Take the values and ranges that a page has, and tell all pages; the one that it came from gets its own
        message's number with it. Raises TooLarge."""
        self._require_room(values={**self.values, **values}, ranges={**self.ranges, **ranges})
        self.values |= values
        self.ranges |= ranges
        self.fresh.values |= values
        self.fresh.ranges |= ranges
        told: dict[str, Any] = {}
        if values:
            told["controls"] = {name: {"value": value} for name, value in values.items()}
        if ranges:
            told["ranges"] = dict(ranges)
        self._tell(told, origin, request)

    def set(self, kind: str, name: str, properties: dict[str, Any], ranges: Mapping[str, str]) -> None:
        """Take what the app sets, and tell all pages. `ranges`: the names of a figure's ranges by property. Raises
        TooLarge."""
        known = self.things.get((kind, name), {})
        named = {ranges[key]: each for key, each in properties.items() if key in ranges}
        kept = {key: each for key, each in properties.items() if key not in ranges and (kind, key) != _VALUE}
        things = {**self.things, (kind, name): {**known, **kept}} if kept else self.things
        values = {name: properties["value"]} if kind == "control" and "value" in properties else {}
        self._require_room(values={**self.values, **values}, things=things, ranges={**self.ranges, **named})
        self.things = things
        self.values |= values
        self.ranges |= named
        told: dict[str, Any] = {f"{kind}s": {name: {key: e for key, e in properties.items() if key not in ranges}}}
        if named:
            told["ranges"] = named
        self._tell(told)

    def push(self, what: Mapping[str, Any]) -> None:
        """Send something to all pages."""
        for page in list(self.pages):
            page.push(what)

    def as_json(self) -> dict[str, Any]:
        """What a page gets in its `hello`."""
        set_: dict[str, dict[str, Any]] = {}
        for (kind, name), properties in self.things.items():
            set_.setdefault(f"{kind}s", {})[name] = properties
        return {
            "id": self.id,
            "sequence": self.sequence,
            "values": self.values,
            "ranges": self.ranges,
            "set": set_,
        }

    def forget_process(self) -> None:
        """The process of the app is another one: it has to be told everything."""
        self.known = False
        self.fresh = Fresh(dict(self.values), dict(self.ranges), dict(self.selections))
        self.timers.clear()
        self.stop_ticking()

    def take_fresh(self) -> Fresh:
        """What the process is told now."""
        fresh, self.fresh = self.fresh, Fresh()
        return fresh

    def stop_ticking(self) -> None:
        """Let no timer go off."""
        for handle in self.ticking.values():
            handle.cancel()
        self.ticking.clear()

    def _tell(self, told: dict[str, Any], origin: Page | None = None, request: int = 0) -> None:
        self.sequence += 1
        told["sequence"] = self.sequence
        for page in list(self.pages):
            page.push({"set": {**told, "id": request} if page is origin else told})

    def _require_room(self, values: Mapping[str, Any], ranges: Mapping[str, Any],
                      things: Mapping[tuple[str, str], dict[str, Any]] | None = None) -> None:  # fmt: skip
        state = [values, ranges, list((self.things if things is None else things).values()), self.selections]
        size = len(json.dumps(state, ensure_ascii=False, default=str).encode(errors="replace"))
        if size > self.most:
            raise TooLarge(
                f"A session holds {self.most >> 10} KiB of values and properties, and this would make it {size >> 10}: "
                "keep large things in the app.",
                "session",
                size,
            )


_VALUE = ("control", "value")


def no_session() -> Conflict:
    """The error for a page that says something of a session, and has none."""
    return Conflict("This page has no session: its document has no app, or another page goes on with it.")
