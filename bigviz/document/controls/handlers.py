"""The functions of a script that are to be called when something happens to what it has made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from bigviz.common.errors import BadInput

__all__ = ["Event", "Function", "Handler", "collected_handlers", "handle", "on_close", "on_open"]

Event = Literal["change", "click", "select", "range", "open", "close"]
Function = TypeVar("Function", bound=Callable[..., Any])

_found: ContextVar[list[Handler] | None] = ContextVar("handlers", default=None)


@dataclass(frozen=True, eq=False)
class Handler:
    """A function, the event that it is for, and the control or figure that this happens to (None: the page)."""

    event: Event
    thing: object
    call: Callable[..., Any]


def handle(event: Event, thing: object, call: Function) -> Function:
    """Call a function at an event, wherever `bigviz serve` runs the script; elsewhere nothing happens. Returns the
    function, so that it can stand as a decorator."""
    if not callable(call):
        raise BadInput(f"A callback is a function, got {type(call).__name__}.", "callback", type(call).__name__)
    found = _found.get()
    if found is not None:
        found.append(Handler(event, thing, call))
    return call


def on_open(call: Function) -> Function:
    """Call `call(session)` for each page that is opened, and again for those that are open when the app's process was
    replaced. Also a decorator."""
    return handle("open", None, call)


def on_close(call: Function) -> Function:
    """Call `call(session)` when a page is gone for good, or the app ends. Also a decorator."""
    return handle("close", None, call)


@contextmanager
def collected_handlers() -> Iterator[list[Handler]]:
    """The functions that are given while the block runs, in order; those of other threads are not among them."""
    found: list[Handler] = []
    token = _found.set(found)
    try:
        yield found
    finally:
        _found.reset(token)
