"""What a document's controls say of the columns of open tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from bigviz.aggregate.inputs import check as check_reduction
from bigviz.aggregate.reductions.parse import parse as parse_reduction
from bigviz.common.errors import BadInput, BigvizError
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check as check_filter
from bigviz.data.filters.parse import parse
from bigviz.document.controls.filter_types import check_control_types
from bigviz.document.controls.number_expression import parsed_number
from bigviz.document.controls.spec import ColumnOptions, ControlSpec
from bigviz.document.controls.values import check_options_column
from bigviz.document.filter_text import initial_filter
from bigviz.document.spec import Document

__all__ = ["check_bound_controls", "control_columns"]


def check_bound_controls(document: Document) -> None:
    """Check the columns that controls name against the tables that are open; nothing is read. Raises NotFound,
    Unplottable or BadInput that names the control."""
    for name, spec in document.controls.items():
        with _of_control(name):
            _check(document, name, spec)


def control_columns(document: Document, dataset: str) -> frozenset[str]:
    """The columns of a dataset that a document's controls name."""
    return frozenset(name for spec in document.controls.values() for name in _columns(document, spec, dataset))


def _columns(document: Document, spec: ControlSpec, dataset: str) -> Iterator[str]:
    if isinstance(spec.options, ColumnOptions) and spec.options.dataset == dataset:
        yield spec.options.column
    if spec.type == "number" and spec.dataset == dataset:
        column = parsed_number(spec.expression)[1]
        if column is not None:
            yield column
        yield from parse(spec.filter).columns if spec.filter else ()
    if spec.type == "table" and spec.columns is not None and _shown(document, spec) == dataset:
        yield from spec.columns


def _shown(document: Document, spec: ControlSpec) -> str | None:
    """The dataset of the first layer of the figure whose rows a table lists."""
    for figure in document.figures():
        if figure.id == spec.figure and figure.layers:
            return figure.layers[0].dataset
    return None


def _check(document: Document, name: str, spec: ControlSpec) -> None:
    if isinstance(spec.options, ColumnOptions) and spec.options.dataset in document.sources:
        check_options_column(document, spec.options)
    if spec.type == "number" and spec.dataset in document.sources:
        dataset = cast(Dataset, document.sources[spec.dataset])
        check_reduction(dataset, parse_reduction(spec.expression))
        kept = initial_filter(document, spec.filter)
        check_control_types(document, spec.filter, dataset)
        if kept:
            check_filter(parse(kept), dataset)
    if spec.type == "table" and spec.columns is not None:
        _check_columns(document, _shown(document, spec), spec.columns)


def _check_columns(document: Document, dataset: str | None, columns: tuple[str, ...]) -> None:
    if dataset is None or dataset not in document.sources:
        return
    known = [each.name for each in cast(Dataset, document.sources[dataset]).columns()]
    for column in columns:
        if column not in known:
            raise BadInput(f"dataset {dataset!r} has no column {column!r}", "columns", column)


@contextmanager
def _of_control(name: str) -> Iterator[None]:
    try:
        yield
    except BigvizError as error:
        error.message = f"Control {name!r}: {error.message}"
        error.args = (error.message,)
        raise
