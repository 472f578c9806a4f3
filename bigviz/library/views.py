"""Permalinks: a view of a document (the hash of its page's address) under a short id that cannot be guessed.

The ids are random and not signed, whether the server has a secret or not: 128 random bits that have to be found in the
library prove by themselves that the server made them, and an id of 22 characters has no room for a signature.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

from bigviz.common.errors import Busy, NoSpace, TooLarge
from bigviz.library.names import storable
from bigviz.library.secrets import new_id
from bigviz.library.storage.database import Database

__all__ = ["LONGEST", "MOST", "Views", "is_view_id"]

LONGEST: Final = 8_192
"""Bytes of a view."""
MOST: Final = 1_000
"""Views of a document that one user keeps; beyond it those of theirs go that nobody has opened for longest."""

_DAY: Final = 86_400.0
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")


def is_view_id(text: str) -> bool:
    """Whether a text is written as the id of a view."""
    return _ID.fullmatch(text) is not None


class Views:
    """The views of documents, those of the server's own files included. What has returned is on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, document: str, hash: str, maker: str | None = None) -> str:
        """The id of a view, 22 characters; the same view has one id for each `maker`, a user or None for the operator.
        Raises TooLarge beyond `LONGEST`."""
        document, hash, now = storable(document), storable(hash), self._database.now()
        kept = (document, maker or "")  # no user's name is empty
        if (size := len(hash.encode())) > LONGEST:
            raise TooLarge(f"A view has at most {LONGEST:,} bytes, got {size:,}.", "hash", size)
        with self._database.write() as db:
            same = "SELECT id FROM views WHERE document = ? AND maker = ? AND hash = ?"
            row = db.execute(same, (*kept, hash)).fetchone()
            if row is not None:
                return str(row[0])
            id = new_id()
            columns = "INSERT INTO views (id, document, maker, hash, used) VALUES (?, ?, ?, ?, ?)"
            db.execute(columns, (id, *kept, hash, now))
            db.execute(
                "DELETE FROM views WHERE id IN (SELECT id FROM views WHERE document = ? AND maker = ?"
                " ORDER BY id = ? DESC, used DESC LIMIT -1 OFFSET ?)",
                (*kept, id, MOST),
            )
        return id

    def get(self, document: str, id: str) -> str | None:
        """The view of an id, None where this document has none of it."""
        now = self._database.now()
        asked = (storable(id), storable(document))
        with self._database.read() as db:
            row = db.execute("SELECT hash, used FROM views WHERE id = ? AND document = ?", asked).fetchone()
        if row is None:
            return None
        if abs(now - row[1]) >= _DAY:
            with suppress(Busy, NoSpace), self._database.write() as db:  # not worth refusing the view for
                db.execute("UPDATE views SET used = ? WHERE id = ?", (now, id))
        return str(row[0])
