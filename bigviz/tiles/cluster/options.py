"""What an operator says of a cluster. Imports nothing of Dask, so that a command line can be read without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ClusterOptions"]


@dataclass(frozen=True)
class ClusterOptions:
    """The address of a scheduler, with the PEM files that it asks for under TLS; or how many workers are started here,
    which end with this process."""

    scheduler: str | None = None
    workers: int | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
