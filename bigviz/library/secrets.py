"""Secrets and identifiers that cannot be guessed. Of a secret only its hash is kept."""

from __future__ import annotations

import hashlib
from secrets import token_hex, token_urlsafe

__all__ = ["hash_of", "new_id", "new_secret", "new_short_id"]


def new_secret() -> str:
    """256 random bits, as 43 characters of base64url."""
    return token_urlsafe(32)


def new_id() -> str:
    """128 random bits, as 22 characters of base64url."""
    return token_urlsafe(16)


def new_short_id() -> str:
    """48 random bits in hexadecimal: a name, not a secret. It begins with no hyphen, so it can be typed in a shell."""
    return token_hex(6)


def hash_of(secret: str) -> bytes:
    """The SHA-256 of a secret, 32 bytes. A slow hash is for passwords: 256 random bits are not guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
