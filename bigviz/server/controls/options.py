"""The options of controls that are the values of a column."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from bigviz.common.threads.shared_thread import in_shared_thread
from bigviz.document.controls.spec import ColumnOptions
from bigviz.document.controls.values import column_options
from bigviz.document.spec import Document
from bigviz.server.open_datasets import dataset_of

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.server.jobs.usage import Usage

__all__ = ["options_answer", "read_options"]

_read: WeakKeyDictionary[Dataset, set[str]] = WeakKeyDictionary()


async def read_options(document: Document, usage: Usage) -> None:
    """Have the values of all columns at hand that are options, so that checking one blocks nobody. The first time a
    thread passes over the column. Errors name no column that the caller may not use."""
    for _, options in _of_columns(document):
        dataset = dataset_of(document, options.dataset)
        known = _read.setdefault(dataset, set())
        if options.column not in known:
            with usage.discretion(options.dataset):
                await in_shared_thread(("options", dataset, options), partial(column_options, document, options))
            known.add(options.column)


def options_answer(document: Document) -> dict[str, Any]:
    """For pages: the options of those controls that have a column's, by id, and whether there are more than these."""
    found = {name: column_options(document, options) for name, options in _of_columns(document)}
    return {name: {"options": values, "more": more} for name, (values, more) in found.items()}


def _of_columns(document: Document) -> Iterator[tuple[str, ColumnOptions]]:
    for name, spec in document.controls.items():
        if isinstance(spec.options, ColumnOptions):
            yield name, spec.options
