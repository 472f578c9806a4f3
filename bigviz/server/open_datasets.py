"""The open datasets of a document, and what is told of their versions. Loads nothing of the engine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import NotFound

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document

__all__ = ["dataset_of", "version_facts"]


def dataset_of(document: Document, name: str) -> Dataset:
    """The open dataset of that name in the document; NotFound with the nearest name otherwise."""
    found = document.sources.get(name)
    if found is None:
        more = hint(name, list(document.sources), f"It has {', '.join(document.sources)}.")
        raise NotFound(f"The document has no dataset {echoed(name)}.{more}", "dataset", name)
    return cast("Dataset", found)


def version_facts(rows: int, version: int, appended: float | None) -> dict[str, Any]:
    """What a page is told of a dataset's new version; `appended` is when it was there, by the wall clock."""
    age = None if appended is None else max(0.0, time.time() - appended)
    return {"version": version, "rows": rows, "time": appended, "age": age}
