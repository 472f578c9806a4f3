"""Passwords, as Argon2id hashes (RFC 9106's second profile: 64 MiB, 3 passes)."""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bigviz.common.errors import BadInput
from bigviz.library.secrets import new_secret

__all__ = ["check_password", "hashed", "outdated", "verified"]

_HASHER: Final = PasswordHasher()
_LONGEST: Final = 1_024
_turns = threading.BoundedSemaphore(2)  # 64 MiB and some cores each


def check_password(password: str) -> str:
    """The password, in the one form of its characters that is hashed. Raises BadInput for one that is empty, longer
    than 1,024 characters, or no Unicode; no error holds it."""
    form = unicodedata.normalize("NFC", password)
    if not 1 <= len(form) <= _LONGEST or any("\ud800" <= c <= "\udfff" for c in form):
        raise BadInput(f"A password has 1 to {_LONGEST:,} characters, got {len(form):,}.", "password", len(form))
    return form


def hashed(password: str) -> str:
    """The hash to keep, with its salt and costs. Raises BadInput."""
    form = check_password(password)
    with _turns:
        return _HASHER.hash(form)


def verified(kept: str | None, password: str) -> bool:
    """Whether a password is the one of a hash. Without a hash it is not, after as much work."""
    try:
        form = check_password(password)
    except BadInput:
        kept, form = None, "none"
    with _turns:
        try:
            return _HASHER.verify(kept or _nobodys(), form) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    """Whether a hash has other costs than new ones."""
    return _HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _HASHER.hash(new_secret())
