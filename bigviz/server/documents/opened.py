"""A document with its open datasets, and what of it one caller may use."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from bigviz.server.jobs.usage import EVERYTHING, Usage

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.server.jobs.layer_ref import Asked

__all__ = ["Opened", "Shown"]


@dataclass(frozen=True)
class Opened:
    """A document as it is shown, `document`, and as it was published, `stored`.

    `version` and `owner` are the library's; both are None for what the server was started with. `datasets` has the
    versions of those datasets that are in the library, `own` those of all that the document's owner
    owns too.
    """

    stored: Document
    document: Document
    version: int | None = None
    owner: str | None = None
    datasets: Mapping[str, int] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    @cached_property
    def growing(self) -> Mapping[str, int]:
        """The versions of the datasets that may grow: those of the library, and those whose files are followed."""
        served = {name: cast("Dataset", each) for name, each in self.document.sources.items()}
        files = {name: each.version for name, each in served.items() if each.lineage is not None}
        return {**files, **self.datasets}


@dataclass(frozen=True)
class Shown:
    """A document as one caller may use it; `resolved` has the layers that were asked about, by their definitions,
    `asked` those that routes were asked about, with the names of their datasets, by number and query."""

    opened: Opened
    usage: Usage = EVERYTHING
    resolved: dict[Hashable, tuple[Dataset, Layer]] = field(default_factory=dict, init=False, repr=False, compare=False)
    asked: dict[tuple[str, str], tuple[Asked, str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def document(self) -> Document:
        """The document, bound to its datasets."""
        return self.opened.document
