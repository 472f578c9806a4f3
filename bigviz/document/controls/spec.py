"""A control as data: a select, a slider or a live figure, as the JSON of a document says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

__all__ = [
    "CONTROLS", "KEYS", "VALUED", "ColumnOptions", "ControlSpec", "ControlType", "Option", "OptionValue",
    "control_to_json", "with_dataset_names",
]  # fmt: skip

ControlType = Literal[
    "select", "multiselect", "radio", "checkbox", "slider", "range", "date_range", "text", "button", "table",
    "markdown", "number",
]  # fmt: skip
OptionValue = str | float | bool

CONTROLS: Final = get_args(ControlType)
_OF_OPTIONS: Final = ("label", "options", "value")
_OF_NUMBERS: Final = ("label", "start", "end", "step", "value")
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "select": _OF_OPTIONS,
    "multiselect": _OF_OPTIONS,
    "radio": _OF_OPTIONS,
    "checkbox": ("label", "value"),
    "slider": _OF_NUMBERS,
    "range": _OF_NUMBERS,
    "date_range": ("label", "start", "end", "value"),
    "text": ("label", "value", "placeholder"),
    "button": ("label",),
    "table": ("label", "figure", "columns"),
    "markdown": ("text",),
    "number": ("label", "dataset", "expression", "filter", "unit"),
}
VALUED: Final = frozenset(name for name, keys in KEYS.items() if "value" in keys)


@dataclass(frozen=True)
class Option:
    """One choice: its value, and what is written at it (None: the value itself)."""

    value: OptionValue
    label: str | None = None


@dataclass(frozen=True)
class ColumnOptions:
    """The choices are the values of a column: of labels, whole numbers or truth values."""

    dataset: str
    column: str


@dataclass(frozen=True)
class ControlSpec:
    """A control. `type` says which fields it has (`KEYS`); the others keep their defaults.

    `value` is what it has before anybody changes it: None for no value, tuples for several and for ranges. `start` and
    `end` are numbers, or ISO dates of a date range; `step` None is the page's own. `figure` is the id of the figure
    whose selected rows a table lists, in `columns` (None: all). A number is the `expression` (`count()`, `mean(fare)`)
    of the rows of its `dataset` that its `filter` keeps.
    """

    type: ControlType
    label: str | None = None
    value: Any = None
    options: tuple[Option, ...] | ColumnOptions = ()
    start: float | str | None = None
    end: float | str | None = None
    step: float | None = None
    placeholder: str = ""
    figure: str = ""
    columns: tuple[str, ...] | None = None
    text: str = ""
    dataset: str = ""
    expression: str = "count()"
    filter: str = ""
    unit: str | None = None


def control_to_json(control: ControlSpec) -> dict[str, Any]:
    """A control as JSON values, with every key of its type."""
    return {"type": control.type, **{key: _json(getattr(control, key)) for key in KEYS[control.type]}}


def with_dataset_names(control: ControlSpec, names: Mapping[str, str]) -> ControlSpec:
    """The control with its datasets under other names: old name to new."""
    options = control.options
    if isinstance(options, ColumnOptions):
        options = replace(options, dataset=names.get(options.dataset, options.dataset))
    return replace(control, options=options, dataset=names.get(control.dataset, control.dataset))


def _json(value: Any) -> Any:
    if isinstance(value, ColumnOptions):
        return {"dataset": value.dataset, "column": value.column}
    if isinstance(value, Option):
        return value.value if value.label is None else {"value": value.value, "label": value.label}
    return [_json(each) for each in value] if isinstance(value, tuple) else value
