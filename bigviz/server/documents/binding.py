"""A document of the library over the datasets that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bigviz.common.errors import BigvizError
from bigviz.document.bind import bind
from bigviz.server.refusals import Unusable

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document

__all__ = ["bound"]


def bound(document: Document, sources: Mapping[str, Dataset]) -> Document:
    """A document bound to its datasets; Unusable where they are not what it needs."""
    try:
        return bind(document, sources)
    except BigvizError as error:
        raise Unusable(error.message, error.field, error.got) from error
