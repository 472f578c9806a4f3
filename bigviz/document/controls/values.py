"""The values of a document's controls: which are allowed, and what filters and layers get of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput, Unplottable
from bigviz.document.controls.spec import VALUED, ColumnOptions, ControlSpec, OptionValue

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document

__all__ = [
    "MOST_OPTIONS", "all_values", "check_options_column", "check_value", "check_values", "checked_date",
    "column_options", "filter_values", "initial_values",
]  # fmt: skip

MOST_OPTIONS: Final = 4_096
_LONGEST_TEXT: Final = 10_000
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_END_OF_DAY: Final = "T23:59:59.999999999"
_PICKED: Final = 1 << 31  # of a button: how many times it was pressed


def initial_values(document: Document) -> dict[str, Any]:
    """What the controls have before anybody changes them, as JSON values; controls that hold no value are left out."""
    return {name: _listed(each.value) for name, each in document.controls.items() if each.type in VALUED}


def check_values(document: Document, values: object) -> dict[str, Any]:
    """The values of controls, by id, if each may have its own; None stands for no value.

    BadInput, whose `field` is the control's id, for a control that the document does not have, one that holds no value,
    and a value of another type, out of its range, or not among its options. Labels of a column are read if they are not
    known yet.
    """
    if not isinstance(values, Mapping):
        raise BadInput("values is an object of values by control.", "values", echoed(values, 60))
    for name in values:
        if name not in document.controls:
            more = hint(str(name), list(document.controls))
            raise BadInput(f"There is no control {echoed(name, 60)} in this document.{more}", str(name)[:64], name)
    return {name: check_value(document, name, value) for name, value in values.items()}


def all_values(document: Document, values: object) -> dict[str, Any]:
    """`check_values`, and the initial values of the other controls."""
    return {**initial_values(document), **check_values(document, values)}


def filter_values(document: Document, values: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values as filters compare with them: an empty text is no value, and a range of dates lasts until the end
    of its last day."""
    out = dict(values)
    for name, value in values.items():
        kind = document.controls[name].type
        if kind == "text" and value == "":
            out[name] = None
        elif kind == "date_range" and value is not None:
            out[name] = [value[0], value[1] + _END_OF_DAY]
    return out


def check_value(document: Document, name: str, value: object) -> Any:
    """The value of one control, as `check_values` has it."""
    spec = document.controls[name]
    if spec.type not in VALUED and spec.type != "button":
        raise BadInput(f"Control {name!r} is a {spec.type}, which has no value.", name, echoed(value, 60))
    if value is None:
        return None
    return _CHECKS[spec.type](partial(_refused, name, value), spec, document, value)


def column_options(document: Document, options: ColumnOptions) -> tuple[list[OptionValue], bool]:
    """The values of a column, sorted, as many as a control offers, and whether there are more. A pass over the column
    finds them, once. Raises what `Dataset.labels` does."""
    labels, read = _labels_of(document, options)
    return [read(each) for each in labels[:MOST_OPTIONS]], len(labels) > MOST_OPTIONS


def checked_date(value: object) -> str | None:
    """An ISO date, such as 2024-02-29; None for anything else."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        return None


Refuse = Callable[[str], BadInput]


def _refused(name: str, value: object, expected: str) -> BadInput:
    shown = echoed(value, 80)
    return BadInput(f"Control {name!r}: expected {expected}, got {shown}.", name, shown)


def _option(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> OptionValue:
    return _among(refuse, _offered(spec, document), spec, value)


def _options(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> list[OptionValue]:
    if not isinstance(value, list | tuple) or len(value) > MOST_OPTIONS:
        raise refuse(f"a list of at most {MOST_OPTIONS:,} of its options")
    offered = _offered(spec, document)  # once for all of them: a list may name each option
    found = [_among(refuse, offered, spec, each) for each in value]
    if len(set(map(_key, found))) < len(found):
        raise refuse("each option once")
    return found


Offered = Mapping[tuple[bool, OptionValue], OptionValue]


def _offered(spec: ControlSpec, document: Document) -> Offered | None:
    """The options of a control by what tells them apart; None where a server has to look for them."""
    if not isinstance(spec.options, ColumnOptions):
        return {_key(option.value): option.value for option in spec.options}
    if spec.options.dataset not in document.sources:  # a name only: the server that knows the dataset checks it
        return None
    return {_key(value): value for value in column_options(document, spec.options)[0]}


def _among(refuse: Refuse, offered: Offered | None, spec: ControlSpec, value: object) -> OptionValue:
    if not isinstance(value, str | int | float):
        offered = offered or {}
    elif offered is None:
        return value
    elif _key(value) in offered:
        return offered[_key(value)]
    if isinstance(spec.options, ColumnOptions):
        some = f", {_some(list(offered.values()))}" if offered else ""
        raise refuse(f"one of the values of column {spec.options.column!r}{some}")
    raise refuse(f"one of its options, {_some(list(offered.values()))}")


def _key(value: OptionValue) -> tuple[bool, OptionValue]:
    """1 and true are equal to Python, and two options."""
    return isinstance(value, bool), value


def check_options_column(document: Document, options: ColumnOptions) -> str:
    """The kind of a column whose values are the options of a control; nothing is read. Raises NotFound, Unplottable."""
    dataset = cast("Dataset", document.sources[options.dataset])
    kind = dataset.info(options.column).kind
    if kind not in _READ:
        raise Unplottable(
            f"column {options.column!r} of {dataset.name!r} holds no labels, whole numbers or truth values to choose "
            "from.",
            "column",
            options.column,
        )
    return kind


def _labels_of(document: Document, options: ColumnOptions) -> tuple[tuple[str, ...], Callable[[str], OptionValue]]:
    """The labels of a column, and what makes a value of one."""
    kind = check_options_column(document, options)
    dataset = cast("Dataset", document.sources[options.dataset])
    return dataset.labels(dataset.info(options.column).label_column), _READ[kind]


def _checkbox(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> bool:
    if not isinstance(value, bool):
        raise refuse("true or false")
    return value


def _slider(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_within(spec, value):
        raise refuse(f"a number from {spec.start} to {spec.end}")
    return value


def _range(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> list[float]:
    wanted = f"two numbers in order, from {spec.start} to {spec.end}"
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refuse(wanted)
    low, high = value
    for each in (low, high):
        if isinstance(each, bool) or not isinstance(each, int | float) or not _is_within(spec, each):
            raise refuse(wanted)
    if low > high:
        raise refuse(f"{wanted}, the lower one first, as [{high}, {low}]")
    return [low, high]


def _is_within(spec: ControlSpec, value: float) -> bool:
    return cast(float, spec.start) <= value <= cast(float, spec.end)  # exact, and False for NaN: no float is made


def _date_range(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> list[str]:
    wanted = f"two dates in order, as 2024-02-29{_bounds(spec)}"
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refuse(wanted)
    low, high = (checked_date(each) for each in value)
    if low is None or high is None:
        raise refuse(wanted)
    if low > high:
        raise refuse(f"{wanted}, the earlier one first, as [{high}, {low}]")
    if low < str(spec.start or low) or high > str(spec.end or high):
        raise refuse(wanted)
    return [low, high]


def _bounds(spec: ControlSpec) -> str:
    since = "" if spec.start is None else f", from {spec.start}"
    return since + ("" if spec.end is None else f", until {spec.end}")


def _text(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise refuse(f"one line of text of at most {_LONGEST_TEXT:,} characters")
    return value


def _button(refuse: Refuse, spec: ControlSpec, document: Document, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _PICKED:
        raise refuse("how many times it was pressed")
    return value


def _some(values: list[Any]) -> str:
    shown = ", ".join(echoed(each, 40) for each in values[:8])
    return shown if len(values) <= 8 else f"{shown} and {len(values) - 8:,} more"


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value


_READ: Final[Mapping[str, Callable[[str], OptionValue]]] = {
    "category": str,
    "integer": int,
    "bool": lambda text: text.lower() == "true",
}
_CHECKS: Final[Mapping[str, Callable[[Refuse, ControlSpec, Document, object], Any]]] = {
    "select": _option,
    "multiselect": _options,
    "radio": _option,
    "checkbox": _checkbox,
    "slider": _slider,
    "range": _range,
    "date_range": _date_range,
    "text": _text,
    "button": _button,
}
