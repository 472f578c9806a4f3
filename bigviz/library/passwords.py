"""Passwords, as Argon2id hashes (RFC 9106's second profile: 64 MiB, 3 passes). What makes one is NIST SP 800-63B: its
length, and no rule about the kinds of its characters."""

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
_LEAST: Final = 8  # characters
_MOST_BYTES: Final = 1_024  # in UTF-8
_turns = threading.BoundedSemaphore(2)  # 64 MiB and some cores each


def check_password(password: str) -> str:
    """A password that may be set, in the form that is hashed. Raises BadInput for one of fewer than 8 characters or
    more than 1,024 bytes, or that is no Unicode; no error holds it."""
    form = _form(password)
    if form is None:
        raise BadInput("A password is text: this one holds half a character.", "password")
    if len(form) < _LEAST or len(form.encode()) > _MOST_BYTES:
        length = f"{len(form):,} characters, {len(form.encode()):,} bytes"
        rule = f"A password has at least {_LEAST} characters, and at most {_MOST_BYTES:,} bytes as UTF-8"
        raise BadInput(f"{rule}, got {length}.", "password", len(form))
    return form


def hashed(password: str) -> str:
    """The hash to keep, with its salt and costs. Raises BadInput."""
    form = check_password(password)
    with _turns:
        return _HASHER.hash(form)


def verified(kept: str | None, password: str) -> bool:
    """Whether a password is the one of a hash. Without a hash it is not, after as much work."""
    form = _form(password)
    if form is None or len(form) > _MOST_BYTES:
        kept, form = None, "none"
    with _turns:
        try:
            return _HASHER.verify(kept or _nobodys(), form) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    """Whether a hash has other costs than new ones."""
    return _HASHER.check_needs_rehash(kept)


def _form(password: str) -> str | None:
    """The one form of a password's characters; None for what is no Unicode."""
    form = unicodedata.normalize("NFC", password)
    return None if any("\ud800" <= c <= "\udfff" for c in form) else form


@cache
def _nobodys() -> str:
    return _HASHER.hash(new_secret())
