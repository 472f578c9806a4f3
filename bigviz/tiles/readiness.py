"""What a layer can answer now. Imports nothing, so that a server can listen before its engine is loaded."""

from __future__ import annotations

from typing import Final, Literal

__all__ = ["EXACT", "Readiness"]

Readiness = Literal["none", "building", "sampled", "answering", "complete", "scanned"]
"""One state of a layer.

- "none": nothing, and nobody builds it; "building": nothing yet;
- "sampled": estimates from a sample, while it is built;
- "answering": exact answers, if slower than when the index is complete;
- "complete": exact answers from a complete index;
- "scanned": exact answers, each of which may take a pass over the source: there is no index, and there will be none.
"""
EXACT: Final[frozenset[Readiness]] = frozenset({"answering", "complete", "scanned"})
