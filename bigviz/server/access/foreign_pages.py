"""What a page of an origin that `--allow-origin` does not name is told, and the operator with it."""

from __future__ import annotations

import logging
from typing import Final

from cachetools import LRUCache

__all__ = ["ForeignPages", "refusal"]

_log = logging.getLogger("bigviz")

_MOST_TOLD: Final = 100  # origins; anybody can make up more


class ForeignPages:
    """Tells the operator of each origin that was refused, once."""

    def __init__(self) -> None:
        self._told: LRUCache[str | None, bool] = LRUCache(_MOST_TOLD)

    def tell(self, origin: str | None) -> None:
        """A page of this origin was refused; None where its browser does not tell the origin."""
        if origin not in self._told:
            self._told[origin] = True
            _log.warning("%s", refusal(origin))


def refusal(origin: str | None) -> str:
    """The sentence for a page of an origin that was not allowed."""
    if origin == "null":
        return (
            "A page without an origin, such as a file or a sandboxed frame, may not show plots of this server: put it "
            "on a web server, and start bigviz with --allow-origin and that server's origin."
        )
    whose = "Pages of other origins" if origin is None else f"Pages of {origin}"
    return f"{whose} may not show plots of this server: start it with --allow-origin {origin or 'ORIGIN'} to let them."
