"""Controls from JSON, and what a document's controls, layers and layout say of each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput
from bigviz.document.controls.number_expression import parsed_number
from bigviz.document.controls.spec import CONTROLS, KEYS, VALUED, ColumnOptions, ControlSpec, Option
from bigviz.document.controls.values import MOST_OPTIONS, check_value, checked_date
from bigviz.document.json_values import (
    Read,
    instance,
    join,
    list_of,
    number,
    one_of,
    optional,
    read_object,
    text,
    wrong,
)
from bigviz.document.spec import HOWS, Document, LayerSpec
from bigviz.document.substitute import REPLACED, reference_of
from bigviz.render.colormaps import canonical

__all__ = ["CONTROL_ID", "check_controls", "controls"]

CONTROL_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_MOST_CONTROLS: Final = 1_000
_LONGEST_LINE: Final = 1_000
_REQUIRED: Final = {
    "select": ("options",),
    "multiselect": ("options",),
    "radio": ("options",),
    "slider": ("start", "end"),
    "range": ("start", "end"),
    "button": ("label",),
    "table": ("figure",),
    "markdown": ("text",),
    "number": ("dataset",),
}
_WHOLE: Final = ("select", "radio", "text")  # controls whose value may be a layer's column, reduction or colours


def controls(value: Any, path: str) -> dict[str, ControlSpec]:
    """The reader of a document's controls. Raises BadInput."""
    if not isinstance(value, dict) or len(value) > _MOST_CONTROLS:
        raise wrong(path, f"an object of at most {_MOST_CONTROLS:,} controls by id", value)
    return {_control_id(key, path): _control(each, join(path, str(key))) for key, each in value.items()}


def check_controls(document: Document) -> None:
    """Check that controls, and what refers to them, go together: the values that they have at first, the controls in
    the layout, and those that layers name. Raises BadInput."""
    datasets, figures = set(document.datasets), {figure.id for figure in document.figures()}
    for name, spec in document.controls.items():
        for dataset in _datasets(spec):
            if dataset not in datasets:
                raise BadInput(f"Control {name!r} refers to a dataset that is not in `datasets`.", "dataset", dataset)
        if spec.type == "table" and spec.figure not in figures:
            raise BadInput(f"Control {name!r} refers to a figure that is not in the layout.", "figure", spec.figure)
        with _named(f"controls.{name}.value"):
            _check_initial(document, name, spec)
    placed = set[str]()
    for name in document.placed_controls():
        if name not in document.controls:
            raise BadInput(f"The layout has a control {name!r} that is not in `controls`.", "control", name)
        if name in placed:
            raise BadInput(f"Control {name!r} is in the layout twice.", "control", name)
        placed.add(name)
    for _, layer in document.layers():
        for key in REPLACED:
            _check_reference(document, layer, key)


def _check_initial(document: Document, name: str, spec: ControlSpec) -> None:
    if isinstance(spec.options, ColumnOptions):  # what a column holds is not read for it
        document = replace(document, sources={})
    if spec.type in VALUED:
        check_value(document, name, spec.value)


def _check_reference(document: Document, layer: LayerSpec, key: str) -> None:
    """A control that is a whole property of a layer has a text as value, always, and one that fits there."""
    name = reference_of(getattr(layer, key))
    if name is None or (key in ("x", "y") and name not in document.controls):  # then it is the name of a column
        return
    spec = document.controls.get(name)
    if spec is None:
        more = hint(name, list(document.controls))
        raise BadInput(
            f"Layer {layer.id}: {key} is ${name}, and there is no such control in the layout.{more}", key, name
        )
    if spec.type not in _WHOLE or (key in ("cmap", "how") and spec.type == "text"):
        raise BadInput(
            f"Layer {layer.id}: the value of control {name!r}, a {spec.type}, cannot be its {key}.", key, name
        )
    values = [spec.value]
    if not isinstance(spec.options, ColumnOptions):
        values += [each.value for each in spec.options]
    for each in values:
        if not isinstance(each, str) or (key != "filter" and not each):
            raise BadInput(
                f"Control {name!r} is the {key} of layer {layer.id}, so its value and options are texts, got "
                f"{echoed(each)}.",
                key,
                name,
            )
        _check_word(name, key, each)


def _check_word(name: str, key: str, value: str) -> None:
    with _named(key):
        if key == "cmap":
            canonical(value)
        elif key == "how":
            one_of(HOWS)(value, f"Control {name!r}")


def _datasets(spec: ControlSpec) -> Iterator[str]:
    if isinstance(spec.options, ColumnOptions):
        yield spec.options.dataset
    if spec.type == "number":
        yield spec.dataset


@contextmanager
def _named(field: str) -> Iterator[None]:
    try:
        yield
    except BadInput as error:
        error.field = field
        error.message = f"{field}: {error.message}"
        error.args = (error.message,)
        raise


# --- readers: each takes a JSON value and its path -------------------------------------------------------------------


def _control_id(key: Any, path: str) -> str:
    if not isinstance(key, str) or not CONTROL_ID.fullmatch(key):
        raise wrong(join(path, str(key)), "an id of 1 to 64 letters, digits and _, not beginning with a digit", key)
    return key


def _control(value: Any, path: str) -> ControlSpec:
    if not isinstance(value, dict):
        raise wrong(path, "an object", value)
    kind = one_of(CONTROLS)(value.get("type"), join(path, "type"))
    rest = {key: each for key, each in value.items() if key != "type"}
    readers = {**{key: _READERS[key] for key in KEYS[kind]}, **_OWN.get(kind, {})}
    read = ControlSpec(kind, **read_object(rest, path, readers, _REQUIRED.get(kind, ())))
    return _completed(read, path)


def _completed(spec: ControlSpec, path: str) -> ControlSpec:
    """A control with the value that it has where it says none."""
    if spec.start is not None and spec.end is not None and not _is_below(spec.start, spec.end):
        raise BadInput(f"{path}: the start {spec.start} is not below the end {spec.end}.", join(path, "start"))
    if spec.value is None:
        if spec.type == "slider":
            return replace(spec, value=spec.start)
        if spec.type == "radio" and isinstance(spec.options, tuple):
            return replace(spec, value=spec.options[0].value)
        return replace(spec, value=_EMPTY.get(spec.type))
    return spec


def _is_below(start: float | str, end: float | str) -> bool:
    return start < end if isinstance(start, str) and isinstance(end, str) else float(start) < float(end)


def _line(value: Any, path: str) -> str:
    found = text(value, path)
    if len(found) > _LONGEST_LINE or not found.isprintable():
        raise wrong(path, f"one line of at most {_LONGEST_LINE:,} characters", value)
    return found


def _choices(value: Any, path: str) -> tuple[Option, ...] | ColumnOptions:
    if isinstance(value, dict):
        found: ColumnOptions = instance(ColumnOptions, {"dataset": text, "column": text}, value, path)
        return found
    options: tuple[Option, ...] = list_of(_choice, MOST_OPTIONS, 1)(value, path)
    keys = {(isinstance(each.value, bool), each.value) for each in options}
    if len(keys) < len(options):
        raise BadInput(f"{path}: each option has a value of its own.", path)
    return options


def _choice(value: Any, path: str) -> Option:
    if isinstance(value, dict):
        read = read_object(value, path, {"value": _choice_value, "label": optional(_line)}, ("value",))
        return Option(**read)
    return Option(_choice_value(value, path))


def _choice_value(value: Any, path: str) -> Any:
    if isinstance(value, bool):
        return value
    return _line(value, path) if isinstance(value, str) else number(value, path)


def _date(value: Any, path: str) -> str:
    found = checked_date(value)
    if found is None:
        raise wrong(path, "a date, such as 2024-02-29", value)
    return found


def _step(value: Any, path: str) -> float:
    found = number(value, path)
    if not found > 0:
        raise wrong(path, "a number above 0", value)
    return found


def _expression(value: Any, path: str) -> str:
    found = _line(value, path)
    with _named(path):
        parsed_number(found)
    return found


def _initial(value: Any, path: str) -> Any:
    """The value of any control, in form: `check_controls` has the rest."""
    if isinstance(value, list):
        return list_of(_choice_value, MOST_OPTIONS)(value, path)
    return None if value is None else _choice_value(value, path)


_EMPTY: Final = {"checkbox": False, "multiselect": (), "text": ""}
_READERS: Final[Mapping[str, Read]] = {
    "label": optional(_line),
    "value": _initial,
    "options": _choices,
    "start": number,
    "end": number,
    "step": optional(_step),
    "placeholder": _line,
    "figure": text,
    "columns": optional(list_of(text)),
    "text": text,
    "dataset": text,
    "expression": _expression,
    "filter": text,
    "unit": optional(_line),
}
_OWN: Final[Mapping[str, Mapping[str, Read]]] = {
    "date_range": {"start": optional(_date), "end": optional(_date)},
    "button": {"label": _line},
}
