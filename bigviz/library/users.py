"""The people of a library: names, passwords, and links that let somebody in once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from bigviz.common.errors import Busy, Conflict, NoSpace, NotFound
from bigviz.library.names import check_user_name, storable
from bigviz.library.passwords import hashed, outdated, verified
from bigviz.library.secrets import hash_of, new_secret
from bigviz.library.storage.database import Database

__all__ = ["LINK_SECONDS", "Kept", "UserEntry", "Users", "check_user"]

LINK_SECONDS: Final = 15 * 60.0

_COLUMNS: Final = "name, admin, created, password IS NOT NULL"  # those of `_entry`


@dataclass(frozen=True)
class UserEntry:
    """A user: `created` is in seconds since the epoch, `password` says whether there is one."""

    name: str
    admin: bool
    created: float
    password: bool


@dataclass(frozen=True)
class Kept:
    """What a user owns: documents, and the bytes of their versions and of the datasets."""

    documents: int
    bytes: int


class Users:
    """The users of a library. What has returned is on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, *, admin: bool = False, password: str | None = None) -> None:
        """A new user; without a password only a link lets them in. Raises BadInput for the name or the password,
        Conflict where the name is taken."""
        check_user_name(name, "name")
        kept = None if password is None else hashed(password)
        with self._database.write() as db:
            if db.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone():
                raise Conflict(f"There is a user {name!r} already.", "name", name)
            db.execute(
                "INSERT INTO users (name, admin, password, created) VALUES (?, ?, ?, ?)",
                (name, admin, kept, self._database.now()),
            )

    def remove(self, name: str) -> None:
        """Take a user away with tokens, sessions, links and roles. What they owned goes to another of its owners, or
        to nobody: then admins have it. Raises NotFound."""
        with self._database.write() as db:
            check_user(db, name)
            db.execute("DELETE FROM users WHERE name = ?", (name,))
            db.execute("DELETE FROM roles WHERE user = ?", (name,))
            db.execute(
                "UPDATE items SET owner = (SELECT min(user) FROM roles WHERE item = items.id AND role = 'owner')"
                " WHERE owner = ?",
                (name,),
            )

    def set_password(self, name: str, password: str) -> None:
        """Another password. It ends the user's sessions and links, not the tokens. Raises NotFound, BadInput."""
        kept = hashed(password)
        with self._database.write() as db:
            check_user(db, name)
            db.execute("UPDATE users SET password = ? WHERE name = ?", (kept, name))
            db.execute("DELETE FROM sessions WHERE user = ?", (name,))
            db.execute("DELETE FROM links WHERE user = ?", (name,))

    def entries(self) -> list[UserEntry]:
        """All users, in the order of names."""
        with self._database.read() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM users ORDER BY name")
            return [_entry(*row) for row in rows]

    def find(self, name: str) -> UserEntry | None:
        """A user, None where there is none of that name."""
        with self._database.read() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM users WHERE name = ?", (storable(name),)).fetchone()
        return None if row is None else _entry(*row)

    def entry(self, name: str) -> UserEntry:
        """A user. Raises NotFound."""
        found = self.find(name)
        if found is None:
            raise _unknown(name)
        return found

    def names(self) -> list[str]:
        """The names of all users, in order."""
        return [entry.name for entry in self.entries()]

    def count(self) -> int:
        """How many users there are."""
        with self._database.read() as db:
            (number,) = db.execute("SELECT count(*) FROM users").fetchone()
        return int(number)

    def check(self, name: str, password: str) -> bool:
        """Whether this is the password of this user. An unknown name takes as long as a wrong password."""
        with self._database.read() as db:
            row = db.execute("SELECT password FROM users WHERE name = ?", (storable(name),)).fetchone()
        kept: str | None = None if row is None else row[0]
        right = verified(kept, password)
        if right and kept is not None and outdated(kept):
            new = hashed(password)
            with suppress(Busy, NoSpace), self._database.write() as db:  # not worth refusing the login for
                db.execute("UPDATE users SET password = ? WHERE name = ? AND password = ?", (new, name, kept))
        return right

    def make_link(self, name: str) -> str:
        """A secret that lets a user in once, within 15 minutes. Raises NotFound."""
        secret, now = new_secret(), self._database.now()
        with self._database.write() as db:
            check_user(db, name)
            db.execute("DELETE FROM links WHERE expires <= ?", (now,))
            db.execute(
                "INSERT INTO links (hash, user, expires) VALUES (?, ?, ?)",
                (hash_of(secret), name, now + LINK_SECONDS),
            )
        return secret

    def link_user(self, secret: str) -> str | None:
        """Whom a link lets in, None for one that is used, expired or wrong. It stays valid."""
        with self._database.read() as db:
            return self._link(db, secret)

    def use_link(self, secret: str) -> str | None:
        """Whom a link lets in, None for one that is used, expired or wrong. Of two callers one gets in."""
        with self._database.write() as db:
            user = self._link(db, secret)
            db.execute("DELETE FROM links WHERE hash = ?", (hash_of(secret),))
            return user

    def _link(self, db: Connection, secret: str) -> str | None:
        row = db.execute(
            "SELECT user FROM links WHERE hash = ? AND expires > ?", (hash_of(secret), self._database.now())
        ).fetchone()
        return None if row is None else str(row[0])


def check_user(db: Connection, name: str) -> None:
    """Raises NotFound where a library has no such user."""
    if not db.execute("SELECT 1 FROM users WHERE name = ?", (storable(name),)).fetchone():
        raise _unknown(name)


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no user {name!r}.", "user", name)


def _entry(name: str, admin: int, created: float, password: int) -> UserEntry:
    return UserEntry(name, bool(admin), created, bool(password))
