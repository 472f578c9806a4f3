"""Whether the values that controls may get go with what a filter compares them with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.document.controls.spec import ColumnOptions, ControlSpec
from bigviz.document.controls.values import check_options_column, initial_values
from bigviz.document.filter_text import bound_filter
from bigviz.document.spec import Document
from bigviz.document.substitute import reference_of

__all__ = ["check_control_types"]

_TEXT: Final = "text"
_TIMES: Final = ("2024-01-31", "12:30", "PT1H")
"""Texts that are a date, a time of day and a duration: what is compared with one takes no others."""
_DAY: Final = "2024-01-31"
_OF_KIND: Final[Mapping[str, Any]] = {"category": _TEXT, "integer": 0, "bool": True}


def check_control_types(document: Document, text: str, dataset: Dataset) -> None:
    """Check a filter with a value of each type that its controls may get, one control at a time: their initial values
    may be None, which has no type. Nothing is read. Raises BadInput that names the control, with the position in the
    filter."""
    if not text.strip() or reference_of(text) is not None:
        return
    names = sorted(parse(text).controls & document.controls.keys())
    none, fits = dict.fromkeys(initial_values(document)), dict[str, Any]()
    for name in names:
        spec = document.controls[name]

        def fault(value: Any, name: str = name, spec: ControlSpec = spec) -> BadInput | None:
            return _fault(document, text, dataset, {**none, name: _chosen(spec, value)})

        fits[name] = _chosen(spec, _checked(name, spec, _values(document, spec), fault))
    if (error := _fault(document, text, dataset, {**none, **fits})) is not None:  # of several in one comparison
        raise error


def _checked(name: str, spec: ControlSpec, values: Sequence[Any], fault: Callable[[Any], BadInput | None]) -> Any:
    """Check the values that one control may get, and give one of them, None where none is known; `fault` is what is
    wrong with a value."""
    for each in values:
        if not isinstance(each, str):
            _require(name, spec, each, fault(each))
    texts = [each for each in values if isinstance(each, str)]
    if texts and (of_any := fault(_TEXT)) is not None:
        if _is_free(spec):
            time = next((each for each in _TIMES if fault(each) is None), None)
            _require(name, spec, _TEXT, of_any if time is None else None)
            return time
        for each in texts:
            _require(name, spec, each, fault(each))
    return values[0] if values else None


def _values(document: Document, spec: ControlSpec) -> Sequence[Any]:
    """Values that a control may get: one of each type, but of texts all that are known; empty where only a server
    knows."""
    if spec.type == "slider":
        return [spec.start]
    if spec.type == "range":
        return [[spec.start, spec.end]]
    if spec.type == "date_range":
        return [[spec.start or spec.end or _DAY, spec.end or spec.start or _DAY]]
    if spec.type == "checkbox":
        return [True]
    if spec.type == "text":
        return [_TEXT]
    if isinstance(spec.options, ColumnOptions):
        known = spec.options.dataset in document.sources
        return [_OF_KIND[check_options_column(document, spec.options)]] if known else []
    texts = [each.value for each in spec.options if isinstance(each.value, str)]
    others = {type(each.value): each.value for each in spec.options if not isinstance(each.value, str)}
    return [*others.values(), *texts]


def _is_free(spec: ControlSpec) -> bool:
    """Whether its texts are not known: those that are typed, and those of a column."""
    return spec.type == "text" or isinstance(spec.options, ColumnOptions)


def _chosen(spec: ControlSpec, value: Any) -> Any:
    return [value] if spec.type == "multiselect" and value is not None else value


def _fault(document: Document, text: str, dataset: Dataset, values: Mapping[str, Any]) -> BadInput | None:
    try:
        kept = bound_filter(document, text, values)
        if kept:
            check(parse(kept), dataset)
    except BadInput as error:
        return error
    return None


def _require(name: str, spec: ControlSpec, value: Any, found: BadInput | None) -> None:
    if found is None:
        return
    what = "a text" if _is_free(spec) and isinstance(value, str) else echoed(value)
    found.message = f"${name} is a {spec.type} and may be {what}. {found.message}"
    found.args = (found.message,)
    raise found
