"""A document's card in the list: its picture, and what is told below it."""

from __future__ import annotations

import html
import time
from typing import Final
from urllib.parse import quote

from bigviz.server.documents.merged_pages import ListedDocument

__all__ = ["address", "ago", "card", "counted", "size_words", "thumbnail"]

_CARD: Final = """<li class="card"><a class="card-link" href="{url}">
<img src="{thumbnail}" alt="" width="480" height="300" loading="lazy">
<span class="card-text"><span class="card-name">{title}</span>{facts}</span></a>
<p class="card-foot">{foot}</p></li>
"""
_ICON: Final = '<svg class="icon" role="img" aria-label="{words}"><title>{words}</title><use \
href="_/static/icons.svg#{name}"></use></svg>'
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB", "PB")


def card(each: ListedDocument, now: float, failed: bool = False) -> str:
    """The card as a list item; `now` is the time, in seconds since the epoch."""
    lines = [] if each.title.casefold() == each.name.casefold() else [each.name]
    lines.append(_size(each, failed))
    return _CARD.format(
        url=html.escape(address(each.name)),
        thumbnail=html.escape(thumbnail(each.name)),
        title=html.escape(each.title),
        facts="".join(f'<span class="card-facts">{html.escape(line)}</span>' for line in lines),
        foot=_foot(each, now),
    )


def address(name: str) -> str:
    """A document's address, relative to the list's."""
    return f"{quote(name, safe='')}/"


def thumbnail(name: str) -> str:
    """The address of its picture, likewise."""
    return f"_/api/documents/{quote(name, safe='')}/thumbnail.png"


def counted(count: int, what: str) -> str:
    """A number and what it is of: "1 row", "1,234 rows"."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def size_words(size: int) -> str:
    """A size for people, in powers of 1,000: "999 bytes", "1.2 GB"."""
    number, at = float(size), 0
    while number >= 999.5 and at < len(_UNITS) - 1:
        number, at = number / 1_000, at + 1
    return f"{number:,.0f} {_UNITS[at]}" if at == 0 or number >= 99.5 else f"{number:.2g} {_UNITS[at]}"


def ago(then: float, now: float) -> str:
    """How long ago a time was: "just now", "5 min ago", "3 h ago", "yesterday", then the day."""
    seconds = max(0.0, now - then)
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    if seconds < 2 * _DAY:
        return "yesterday"
    day, today = time.gmtime(then), time.gmtime(now)
    words = time.strftime("%-d %b", day)
    return words if day.tm_year == today.tm_year else f"{words} {day.tm_year}"


def _size(each: ListedDocument, failed: bool) -> str:
    if each.rows is None:
        waiting = "the app has an error" if failed else "opening…"
        return waiting if each.version is None else "its data is missing"
    words = [counted(each.tables, "table")] if each.tables > 1 else []
    words.append(counted(each.rows, "row"))
    if each.columns is not None:
        words.append(counted(each.columns, "column"))
    if each.bytes is not None:
        words.append(size_words(each.bytes))
    return " · ".join(words)


def _foot(each: ListedDocument, now: float) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.updated))
    when = f'<time datetime="{stamp}" title="{stamp}">{ago(each.updated, now)}</time>'
    if each.version is None:
        return when
    owner = "" if each.owner is None else f'<span class="card-owner">{html.escape(each.owner)}</span>'
    words = "Everybody may see it" if each.public else "Only those who were let in may see it"
    seen = _ICON.format(words=words, name="public" if each.public else "lock")
    if each.role == "owner":
        share, title = f"_/documents/{quote(each.name, safe='')}/access", html.escape(each.title)
        seen = f'<a class="card-share" href="{html.escape(share)}" aria-label="Share {title}">{seen}</a>'
    return f"{owner}{when}{seen}"
