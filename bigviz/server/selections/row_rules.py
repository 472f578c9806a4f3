"""Which rows of a dataset a document shows to those who may read it only there. Loads nothing of the engine."""

from __future__ import annotations

from collections.abc import Hashable

from bigviz.document.spec import Document
from bigviz.server.jobs.usage import Usage

__all__ = ["rules_of"]


def rules_of(document: Document, dataset: str, usage: Usage) -> Hashable:
    """What says which rows of a dataset a document shows to a caller who has no role on it: filters, and the controls
    whose values they take; None for others, who may read all rows."""
    if dataset not in usage.columns:
        return None
    filters = tuple(spec.filter for _, spec in document.layers() if spec.dataset == dataset)
    return filters, tuple(document.controls.items())
