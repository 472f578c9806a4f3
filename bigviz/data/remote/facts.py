"""What a store says of an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["Facts"]


@dataclass(frozen=True)
class Facts:
    """The key of an object, its size, ETag, and when it was written (0 where its store does not say)."""

    key: str
    size: int
    etag: str | None
    mtime_ns: int

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> Facts:
        """Those of obstore. Azure writes ETags without quotation marks in lists, and with them in answers."""
        etag: str | None = meta["e_tag"]
        if etag and not etag.endswith('"'):
            etag = f'"{etag}"'
        modified: datetime = meta["last_modified"]
        return cls(str(meta["path"]), int(meta["size"]), etag or None, int(modified.timestamp()) * 10**9)
