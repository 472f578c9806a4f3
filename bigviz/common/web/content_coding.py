"""Texts compressed for browsers that take that: which coding of those that are there, and bytes in it, made once."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

__all__ = ["Stamp", "chosen", "encoded", "encoded_file", "is_text", "stamp"]

Stamp = tuple[Path, int, int]  # a file, and what changes when it does

_LEAST: Final = 1_000  # bytes that are worth it
_LEVEL: Final = 6
_TEXTS: Final = re.compile(r"text/|application/json|image/svg\+xml")
_PART: Final = re.compile(r"\s*([A-Za-z0-9*-]+)\s*(?:;\s*q=([0-9.]+)\s*)?")


def is_text(kind: str) -> bool:
    """Whether bodies of a content type become smaller."""
    return _TEXTS.match(kind) is not None


def chosen(header: str, offered: Sequence[str]) -> str | None:
    """The first of the `offered` codings that an Accept-Encoding header takes; None where it takes none of them."""
    weights: dict[str, float] = {}
    for part in header.split(","):
        found = _PART.fullmatch(part)
        if found is not None:
            weights[found[1].lower()] = _weight(found[2])
    return next((each for each in offered if weights.get(each, weights.get("*", 0.0)) > 0), None)


def _weight(text: str | None) -> float:
    try:
        return 1.0 if text is None else float(text)
    except ValueError:
        return 0.0


def stamp(path: Path) -> Stamp:
    """A file and what changes when it does, so that caches over it need no restart."""
    found = path.stat()
    return path, found.st_mtime_ns, found.st_size


def encoded_file(path: Path, kind: str, accepts: str) -> tuple[bytes, str, str | None]:
    """A file's bytes as a browser gets them, the name of these bytes, and their coding.

    Brotli is what stands beside a file as `FILE.br`, if it is no older. Blocks.
    """
    plain = stamp(path)
    if not is_text(kind) or plain[2] < _LEAST:
        return *_read(plain, None, None), None
    brotli = path.with_name(f"{path.name}.br")
    beside = stamp(brotli) if brotli.is_file() else None
    if beside is not None and beside[1] < plain[1]:
        beside = None
    coding = chosen(accepts, ("gzip",) if beside is None else ("br", "gzip"))
    return *_read(plain, coding, beside if coding == "br" else None), coding


@lru_cache(512)
def _read(plain: Stamp, coding: str | None, beside: Stamp | None) -> tuple[bytes, str]:
    body = (plain if beside is None else beside)[0].read_bytes()
    if coding == "gzip":
        body = gzip.compress(body, _LEVEL, mtime=0)
    return body, hashlib.sha256(body).hexdigest()


@lru_cache(64)
def encoded(body: bytes, coding: str | None) -> bytes:
    """A text in a coding, or as it is."""
    return gzip.compress(body, _LEVEL, mtime=0) if coding == "gzip" else body
