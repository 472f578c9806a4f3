"""Earlier versions of datasets, as far as pages that show them have to be brought on. Loads nothing of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigviz.data.appending.growth import Mark

if TYPE_CHECKING:
    from bigviz.data.appending.growth import Version
    from bigviz.data.dataset import Dataset

__all__ = ["Past"]


@dataclass(frozen=True)
class Past:
    """An earlier version of a dataset, whose rows need not be kept."""

    fingerprint: str
    mark: Version

    @classmethod
    def of(cls, dataset: Dataset) -> Past:
        """What has to be known of a dataset once it is a past version."""
        return cls(dataset.fingerprint, Mark.of(dataset))

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from others."""
        return self.fingerprint, self.mark.version
