"""How many rows of a stream are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ALL_ROWS", "Rule"]


@dataclass(frozen=True)
class Rule:
    """The rows that are kept; None: all. With several, a row stays that all of them keep.

    `rows`: the last so many, exactly. `nbytes`: those of the last appends whose records take no more bytes of the log
    together, and of the very last one. `age_ns`: those of appends that are no older by the log's clock.
    """

    rows: int | None = None
    nbytes: int | None = None
    age_ns: int | None = None

    def __bool__(self) -> bool:
        return (self.rows, self.nbytes, self.age_ns) != (None, None, None)


ALL_ROWS: Final = Rule()
