"""What a server answers, for tests that know only its address."""

from __future__ import annotations

import urllib.request

from .patience import PATIENCE


def fetched(url: str) -> bytes:
    """The body of an answer; `OSError` for any that is no success."""
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read()
