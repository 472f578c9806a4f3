"""The browser's messages about its session: a control has another value, a figure another window or selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.server.access.gate import Need

__all__ = [
    "SESSION_KEYS", "ControlRequest", "RangeRequest", "SelectionRequest", "SessionRequest", "read_session",
    "session_json",
]  # fmt: skip

_MOST_RANGES: Final = 2_000  # a document has two for each of 1,000 figures
_LONGEST: Final = 400
SESSION_KEYS: Final = {
    "control": ("op", "id", "control", "value"),
    "range": ("op", "id", "ranges"),
    "selection": ("op", "id", "figure", "selection"),
}


@dataclass(frozen=True)
class ControlRequest:
    """A control has another value."""

    need: ClassVar[Need] = Need.shown()

    id: int
    control: str
    value: Any


@dataclass(frozen=True)
class RangeRequest:
    """Ranges of the document have other ends, each by its name: numbers, or texts of whole numbers."""

    need: ClassVar[Need] = Need.shown()

    id: int
    ranges: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class SelectionRequest:
    """A figure has another selection, by the id that the server gave it; None for none."""

    need: ClassVar[Need] = Need.shown()

    id: int
    figure: str
    selection: str | None


SessionRequest = ControlRequest | RangeRequest | SelectionRequest
_OPS: Final = {ControlRequest: "control", RangeRequest: "range", SelectionRequest: "selection"}


def read_session(value: Mapping[str, Any], request: int) -> SessionRequest:
    """The request in a message whose `op` is one of `SESSION_KEYS`. Raises BadInput."""
    op = value["op"]
    if op == "control":
        return ControlRequest(request, _name(value, "control"), value.get("value"))
    if op == "selection":
        selection = None if value.get("selection") is None else _name(value, "selection")
        return SelectionRequest(request, _name(value, "figure"), selection)
    ranges = value.get("ranges")
    if not isinstance(ranges, dict) or not 1 <= len(ranges) <= _MOST_RANGES:
        raise BadInput("ranges is an object of pairs [start, end] by the names of ranges.", "ranges")
    return RangeRequest(request, {name: _ends(name, each) for name, each in ranges.items()})


def session_json(request: SessionRequest) -> dict[str, Any]:
    """The message of a request, for `read_session`."""
    return {"op": _OPS[type(request)], **asdict(request)}


def _name(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not 1 <= len(found) <= _LONGEST:
        raise BadInput(f"{key} is a text of 1 to {_LONGEST} characters, got {echoed(found, 60)}.", key)
    return found


def _ends(name: str, value: Any) -> tuple[Any, Any]:
    path = f"ranges.{name[:60]}"
    shaped = isinstance(value, list) and len(value) == 2 and len({isinstance(each, str) for each in value}) == 1
    if not shaped or not all(map(_is_end, value)) or not _number(value[0]) < _number(value[1]):
        raise BadInput(f"{path} is a pair [start, end], the start below the end, got {echoed(value, 60)}.", path)
    return value[0], value[1]


def _is_end(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 40 and value.removeprefix("-").isdecimal() and value.isascii()
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e308


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value
