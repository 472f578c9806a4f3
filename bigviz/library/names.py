"""Names of users, and what names and titles are sorted and searched by."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bigviz.common.errors import BadInput
from bigviz.common.printable import encodable

__all__ = ["check_user_name", "is_user_name", "search_key", "storable"]

_USER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def is_user_name(name: str) -> bool:
    """Whether a user may have this name."""
    return _USER.fullmatch(name) is not None


def check_user_name(name: str, field: str = "user") -> str:
    """The name, if a user may have it; else raises BadInput."""
    if not is_user_name(name):
        raise BadInput(
            "The name of a user has 1 to 64 letters, digits and . _ @ -, and begins with a letter or digit, got "
            f"{name[:80]!r}.",
            field,
            name,
        )
    return name


def search_key(text: str) -> str:
    """What texts are compared by where case and the ways to write one character do not matter."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def storable(text: str) -> str:
    """The text as SQLite, which keeps UTF-8, can keep it."""
    return encodable(text)
