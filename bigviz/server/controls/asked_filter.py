"""The filter of a request, as the layer has it: with the values of controls in it, checked, and within what the
document shows to a caller who may use its datasets in no other way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bigviz.data.columns.column import own_name
from bigviz.data.filters.bind import bind
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.document.controls.values import filter_values
from bigviz.document.filter_text import bound_filter
from bigviz.document.spec import Document
from bigviz.document.substitute import substituted
from bigviz.server.jobs.usage import Usage
from bigviz.server.open_datasets import dataset_of

__all__ = ["asked_filter", "shown_filters"]


def asked_filter(
    document: Document, dataset: str, text: str, values: Mapping[str, Any], usage: Usage, shown: Collection[str]
) -> str:
    """The canonical text of a filter with the checked `values` of controls, "" for every row.

    A caller without a role on the dataset gets of it only rows that one of the document's own filters `shown` keeps,
    and may name only the document's columns. Raises Forbidden, and BadInput with the character of the text that is
    wrong.
    """
    found = ""
    if text:
        expression = parse(text)
        usage.check(dataset, (("filter", own_name(name)) for name in sorted(expression.columns)))
        bound = bind(expression, filter_values(document, values))
        if bound is not None:
            with usage.discretion(dataset):
                # here places are those of what was written
                check(bound, dataset_of(document, dataset), usage.columns.get(dataset))
            found = str(bound)
    if dataset not in usage.columns or found in shown or "" in shown:
        return found
    own = " or ".join(f"({each})" for each in dict.fromkeys(shown))
    return str(parse(f"({own}) and ({found})" if found else own))


def shown_filters(document: Document, dataset: str, values: Mapping[str, Any]) -> list[str]:
    """The filters of a document's layers over a dataset, with the checked values of controls."""
    layers = (substituted(spec, values) for _, spec in document.layers() if spec.dataset == dataset)
    return [bound_filter(document, layer.filter, values) for layer in layers]
