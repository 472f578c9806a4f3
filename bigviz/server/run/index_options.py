"""Where indexes are kept, how much of the disk they may take, and which are made: the operator's options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bigviz.common.errors import BadInput

__all__ = ["INDEX_MODES", "Storage", "bytes_of_text", "renamed_mode"]

IndexMode = Literal["auto", "existing", "never"]

_LEAST_MEMORY: Final = 16 << 20
INDEX_MODES: Final[tuple[IndexMode, ...]] = ("auto", "existing", "never")
_FORMER: Final = {"asked": "existing"}
_SIZE: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*(?:([kmgtp]?)(i?)b?)?", re.IGNORECASE)
_POWERS: Final = ("", "k", "m", "g", "t", "p")


@dataclass(frozen=True)
class Storage:
    """`directory` holds the stores (None: the user's cache), at most `limit` bytes of them (None: a quarter of what
    would be free without them).

    `index`: with "auto" what the operator publishes gets a store, built in the background, if it has none; with
    "existing" only stores that are there are used; with "never" none. `memory` is what caches may take: tiles, rows in
    order, pyramids and trees that are in no store (None: half of the machine's).
    """

    directory: Path | None = None
    limit: int | None = None
    index: IndexMode = "auto"
    memory: int | None = None

    @classmethod
    def of(cls, directory: str | Path | None, limit: int | None, index: str, memory: int | None = None) -> Storage:
        """The same from an operator's words. Raises BadInput for an unknown mode, a limit below 0, and less memory
        than 16 MiB."""
        if index not in INDEX_MODES:
            raise BadInput(f"--index is auto, existing or never, got {index!r}.", "index", index)
        if limit is not None and limit < 0:
            raise BadInput(f"--store-limit is 0 bytes or more, got {limit}.", "store-limit", limit)
        if memory is not None and memory < _LEAST_MEMORY:
            raise BadInput(f"--cache is 16 MiB or more, got {memory} bytes.", "cache", memory)
        return cls(None if directory is None else Path(directory), limit, index, memory)


def renamed_mode(word: str) -> tuple[str, str | None]:
    """The mode of indexing that a word means, and a hint for the user if it is a former name of one."""
    mode = _FORMER.get(word, word)
    return mode, None if mode == word else f"--index {word} is now called {mode}; the old word still works."


def bytes_of_text(text: str, option: str) -> int:
    """The bytes of a size for people: "20GB", "512 MiB", "1.5T", "1000000". Raises BadInput naming the option."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"--{option} is a size such as 20GB or 512MiB, got {text!r}.", option, text)
    number, letter, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS.index((letter or "").lower()))
