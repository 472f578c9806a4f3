"""Page tokens: what lets one page of another origin show one private document for a while.

A token is PAYLOAD.SIGNATURE, both in base64url: a JSON object, and the HMAC-SHA-256 of it under a key that is made of
the server's secret for this purpose alone. The signature is compared, in constant time, before anything of the payload
is read; nothing in it is compressed. Without the secret nobody makes one, so nothing is kept of them.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bigviz.common.errors import BadInput, Unauthorized
from bigviz.common.web.origins import origin_text, parse_origin

__all__ = ["DEFAULT_SECONDS", "MOST_SECONDS", "PageToken", "PageTokens", "canonical_origin", "secret_of", "secret_text"]

DEFAULT_SECONDS: Final = 3_600.0
MOST_SECONDS: Final = 7 * 86_400.0

_PURPOSE: Final = b"bigviz page token 1"
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{43}")
_SHORTEST_SECRET: Final = 32  # characters; `bigviz secret` prints 43


@dataclass(frozen=True)
class PageToken:
    """What a token says: pages of `origin` may show `document` until `expires`, in seconds since the epoch.

    `user` is the one who asked the server for it, None for whoever has the secret, or runs a server without users. A
    user's token is worth nothing once that user is no owner of the document any more.
    """

    document: str
    origin: str
    expires: float
    user: str | None = None


class PageTokens:
    """Makes and reads the tokens of one secret."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._key = hmac.digest(secret.encode(), _PURPOSE, "sha256")
        self._now = now

    @staticmethod
    def is_one(text: str) -> bool:
        """Whether a text has the form of a page token; other tokens have no dot."""
        return "." in text

    def make(self, document: str, origin: str, seconds: float, user: str | None = None) -> tuple[str, float]:
        """A new token, and when it expires. Raises BadInput for an origin that is none, and for a time that is not
        between 0 and 7 days."""
        if not 0 < seconds <= MOST_SECONDS:
            message = f"A page token is valid for more than 0 and at most {MOST_SECONDS:,.0f} seconds, got {seconds!r}."
            raise BadInput(message, "seconds", seconds)
        expires = self._now() + seconds
        said = {"document": document, "origin": canonical_origin(origin), "expires": expires}
        payload = _encoded(json.dumps(said if user is None else {**said, "user": user}).encode())
        if len(payload) > 2_000:
            raise BadInput("The document's name is too long for a page token.", "document", document[:100])
        return f"{payload}.{_encoded(self._signature(payload))}", expires

    def read(self, text: str) -> PageToken:
        """What a token says. Raises Unauthorized for one that was not made with this secret, or has expired."""
        payload, _, signature = text.partition(".")
        wanted = _encoded(self._signature(payload)) if _FORM.fullmatch(text) else ""
        if not wanted or not hmac.compare_digest(signature, wanted):
            raise Unauthorized("This page token is not this server's.")
        found = _said(payload)
        if found is None:
            raise Unauthorized("This page token says what this bigviz does not know: make it with the same version.")
        if found.expires <= self._now():
            raise Unauthorized("The page token of this plot has expired: reload the page that shows it.")
        return found

    def _signature(self, payload: str) -> bytes:
        return hmac.digest(self._key, payload.encode(), "sha256")


def _said(payload: str) -> PageToken | None:
    """What a payload says that was signed; None for what `make` does not write, as whoever has the secret may sign."""
    try:
        said = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        found = PageToken(**said)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (found.document, found.origin, "" if found.user is None else found.user)
    is_time = isinstance(found.expires, int | float) and not isinstance(found.expires, bool)
    return found if all(isinstance(each, str) for each in texts) and is_time else None


def canonical_origin(text: str) -> str:
    """An origin as browsers write it. Raises BadInput for a text that is none."""
    parsed = parse_origin(text)
    if parsed is None:
        raise BadInput(f"An origin looks like https://www.example.org, got {text[:200]!r}.", "origin", text[:200])
    return origin_text(parsed)


def secret_of(path: Path) -> str:
    """The secret in a file, as `bigviz secret` writes it. Raises BadInput where there is none."""
    try:
        text = path.read_bytes()[:10_000].decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        message = f"{path} cannot be read: {why}. `bigviz secret > {path}` makes one."
        raise BadInput(message, "secret-file", str(path)) from error
    return secret_text(text, "secret-file")


def secret_text(text: str, field: str) -> str:
    """A secret without the space around it. Raises BadInput for one that is too short to be random; it is not told."""
    text = text.strip()
    if len(text) < _SHORTEST_SECRET:
        message = f"A secret has at least {_SHORTEST_SECRET} characters, got {len(text)}: `bigviz secret` prints one."
        raise BadInput(message, field)
    return text


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
