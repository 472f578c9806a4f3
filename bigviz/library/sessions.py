"""Sessions: who is logged in, in a browser. A session ends by itself after 14 days."""

from __future__ import annotations

from typing import Final

from bigviz.library.names import storable
from bigviz.library.secrets import hash_of, new_secret
from bigviz.library.storage.database import Database
from bigviz.library.users import check_user

__all__ = ["SESSION_SECONDS", "Sessions"]

SESSION_SECONDS: Final = 14 * 86_400.0


class Sessions:
    """The sessions of a library's users. What has returned is on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user: str) -> str:
        """A new session's secret. Raises NotFound for the user."""
        secret, now = new_secret(), self._database.now()
        with self._database.write() as db:
            check_user(db, user)
            db.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
            db.execute(
                "INSERT INTO sessions (hash, user, expires) VALUES (?, ?, ?)",
                (hash_of(secret), user, now + SESSION_SECONDS),
            )
        return secret

    def find(self, secret: str) -> str | None:
        """Whose session it is, None for one that has ended or never was."""
        with self._database.read() as db:
            row = db.execute(
                "SELECT user FROM sessions WHERE hash = ? AND expires > ?", (hash_of(secret), self._database.now())
            ).fetchone()
        return None if row is None else str(row[0])

    def end(self, secret: str) -> None:
        """End a session; nothing where there is none."""
        with self._database.write() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (hash_of(secret),))

    def end_all(self, user: str) -> None:
        """End all sessions of a user."""
        with self._database.write() as db:
            db.execute("DELETE FROM sessions WHERE user = ?", (storable(user),))
