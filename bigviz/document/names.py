"""Names that documents and datasets may have."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Container
from typing import Final

from bigviz.common.errors import BadInput
from bigviz.data.given import given_text

__all__ = ["RESERVED", "check_name", "free_name", "from_path", "is_dataset_name", "plain_name"]

RESERVED: Final = frozenset({"_", "healthz", "metrics", "favicon.ico", "robots.txt", ".", ".."})
_LONGEST: Final = 200
_GLOB: Final = frozenset("*?[]{}!")
_OF_PATHS: Final = frozenset("/\\*:.")


def check_name(name: str, field: str = "name") -> str:
    """The name, if a document may have it; else raises BadInput.

    Names are one segment of an address: 1 to 200 characters, no slash, backslash or control character, no space at
    the ends, and none of the server's own routes.
    """
    given_text(name, field, "trips")
    if not 1 <= len(name) <= _LONGEST or name != name.strip():
        raise BadInput(f"A name has 1 to {_LONGEST} characters and no space at its ends, got {name!r}.", field, name)
    if not name.isprintable() or "/" in name or "\\" in name:
        raise BadInput(f"A name holds no slash, backslash or control character, got {name!r}.", field, name)
    if name in RESERVED:
        raise BadInput(
            f"{name!r} is an address of the server itself: choose another name, as in NAME=PATH.", field, name
        )
    return name


def free_name(wanted: str, taken: Container[str]) -> str:
    """`wanted`, or the first of wanted-2, wanted-3, ... that is not taken."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def plain_name(text: str, most: int) -> str:
    """A text of any kind as a name, or its beginning, of at most so many characters; "table" for one without any."""
    plain = "".join(c if c.isprintable() and c not in "/\\" else "-" for c in text).strip()
    return plain[:most].strip() or "table"


def is_dataset_name(source: object) -> bool:
    """Whether a layer's source is the name of a server's dataset: a text with none of `/ \\ * : .` in it, at which
    there is no file, nor any that it matches."""
    if not isinstance(source, str) or not source.strip() or "\0" in source or _OF_PATHS & set(source):
        return False
    path = os.path.expanduser(source)
    return not os.path.lexists(path) and not (glob.has_magic(path) and glob.glob(path))


def from_path(path: str, check: Callable[[str], str] = check_name) -> str:
    """A document name from a path or glob: the stem of its last part that is not only a pattern, "data" if none is."""
    for part in reversed(path.replace("\\", "/").split("/")):
        stem = part if part.startswith(".") else part.split(".")[0]
        plain = "".join(" " if c in _GLOB or not c.isprintable() else c for c in stem).strip(" -_.")
        if plain and "=" not in plain and plain not in RESERVED:
            return check(plain[:_LONGEST].strip())
    return "data"
