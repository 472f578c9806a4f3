"""What a page and the log say of a callback that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bigviz.server.apps.callbacks import Call

if TYPE_CHECKING:
    from bigviz.document.spec import Document

__all__ = ["callback_words", "error_push"]

_EVENTS: Final = {
    "open": "when this page was opened",
    "close": "when a page was closed",
    "timer": "in what it does from time to time",
    "select": "at a selection in {}",
    "range": "at another view of {}",
    "change": "at a change of {}",
    "click": "at a click on {}",
}


def callback_words(call: Call, failure: Mapping[str, Any], document: Document | None, seconds: float) -> str:
    """One sentence, or two. What exceptions of the app say may be a secret: that is for the log, but for bigviz's own
    errors."""
    when = _EVENTS[call.event].format(_label(document, str(call.id)))
    if call.late:
        return f"The app took longer than {seconds:g} s {when}, and was interrupted."
    if failure["own"] is not None:
        return f"The app failed {when}: {failure['own']}"
    return f"The app failed {when} ({failure['kind']}). The server's log says more."


def error_push(words: str, failure: Mapping[str, Any], dev: bool) -> dict[str, Any]:
    """What the page gets; with `dev` where the app failed, and how."""
    error: dict[str, Any] = {"message": words}
    if dev:
        error["app"] = {key: failure[key] for key in ("file", "line", "message", "trace")}
    return {"error": error}


def _label(document: Document | None, id: str) -> str:
    """What the page calls a control or a figure."""
    controls: Mapping[str, Any] = getattr(document, "controls", {})
    if id in controls:
        return controls[id].label or id
    titles = {} if document is None else {each.id: each.title for each in document.figures()}
    return titles.get(id) or "a figure"
