"""What a process that this one starts may know of its environment."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["child_environment"]

_SECRETS: Final = ("BIGVIZ_SECRET",)


def child_environment() -> dict[str, str]:
    """The environment variables without secrets."""
    return {name: text for name, text in os.environ.items() if name not in _SECRETS}
