"""Pages of documents and of datasets: what a caller may see, searched, sorted and cut in SQL.

What is visible is found by indexes, from the owner, the roles and the public items, so a page costs what the caller may
see and not what there is. A page begins after the last item of the one before (its sort key and its name), so items
that come and go in between neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from sqlite3 import Connection
from typing import Final, Literal

from bigviz.common.errors import BadInput
from bigviz.library.access import Caller
from bigviz.library.items import COLUMNS, Item, Kind
from bigviz.library.names import search_key, storable

__all__ = ["MOST", "Sort", "cursor", "matches", "page", "read_cursor"]

Sort = Literal["updated", "name", "title", "owner"]
MOST: Final = 1_000
"""Items on a page."""

_KEYS: Final[dict[str, str]] = {
    "updated": "updated",
    "name": "name_key",
    "title": "title_key",
    "owner": "coalesce(owner, '')",
}
_LONGEST_QUERY: Final = 1_000
_MOST_WORDS: Final = 32
_VISIBLE: Final = (
    "id IN (SELECT id FROM items WHERE kind = :kind AND public"
    " UNION SELECT id FROM items WHERE kind = :kind AND owner = :user"
    " UNION SELECT item FROM roles WHERE user = :user)"
)


def page(
    db: Connection, kind: Kind, caller: Caller, q: str, sort: Sort, limit: int, after: str | None
) -> tuple[list[Item], str | None]:
    """At most `limit` items that the caller may see, and where the next page begins (None after the last one).

    Every word of `q` must be in the name, the title or the owner, in any case. "updated" puts the newest first, the
    others go up; equal ones go by name. Raises BadInput for another sort, a limit outside 1 to `MOST`, a longer `q`,
    and for an `after` that is not of a page with this sort.
    """
    if sort not in _KEYS:
        raise BadInput(f"sort is one of {', '.join(_KEYS)}, got {sort!r}.", "sort", sort)
    if not 1 <= limit <= MOST:
        raise BadInput(f"limit is from 1 to {MOST:,}, got {limit:,}.", "limit", limit)
    key = _KEYS[sort]
    values: dict[str, object] = {"kind": kind, "user": caller.user, "limit": limit + 1}
    conditions = ["kind = :kind"] if caller.admin else ["+kind = :kind", _VISIBLE]  # +: by id, not by kind
    for number, word in enumerate(_words(q)):
        values[f"word{number}"] = word
        conditions.append(
            f"(instr(name_key, :word{number}) OR instr(title_key, :word{number})"
            f" OR instr(lower(coalesce(owner, '')), :word{number}))"
        )
    if after is not None:
        values["key"], values["name"] = read_cursor(after, sort)
        conditions.append(f"({key} {'<' if sort == 'updated' else '>'} :key OR ({key} = :key AND name > :name))")
    rows = db.execute(
        f"SELECT {COLUMNS}, {key} FROM items WHERE {' AND '.join(conditions)}"
        f" ORDER BY {key} {'DESC' if sort == 'updated' else 'ASC'}, name LIMIT :limit",
        values,
    ).fetchall()
    items = [Item.of(row) for row in rows[:limit]]
    following = cursor(sort, rows[limit - 1][-1], items[-1].name) if len(rows) > limit else None
    return items, following


def _words(q: str) -> list[str]:
    words = search_key(storable(q[: _LONGEST_QUERY + 1])).split()
    if len(q) > _LONGEST_QUERY or len(words) > _MOST_WORDS:
        raise BadInput(
            f"A search has at most {_LONGEST_QUERY:,} characters and {_MOST_WORDS} words.",
            "q",
            q,
        )
    return words


def matches(q: str, name: str, title: str, owner: str | None) -> bool:
    """Whether `page` finds an item of this name, title and owner by `q`."""
    texts = (search_key(name), search_key(title), (owner or "").lower())
    return all(any(word in text for text in texts) for word in _words(q))


def cursor(sort: Sort, key: float | str, name: str) -> str:
    """Where the page begins that follows the item with this name and key (`updated`, or a `search_key`)."""
    return base64.urlsafe_b64encode(json.dumps([sort, key, name], separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(after: str, sort: Sort) -> tuple[float | str, str]:
    """Key and name of a `cursor`. Raises BadInput for what is none of this sort."""
    try:
        value = json.loads(base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True))
        of, key, name = value
    except (binascii.Error, ValueError, TypeError, RecursionError):
        of, key, name = None, None, None
    wanted = isinstance(key, float) and math.isfinite(key) if sort == "updated" else isinstance(key, str)
    if of != sort or not wanted or not isinstance(name, str):
        raise BadInput(f"after is the `next` of a page that is sorted by {sort}, got {after[:80]!r}.", "after", after)
    return (key if isinstance(key, float) else storable(key)), storable(name)
