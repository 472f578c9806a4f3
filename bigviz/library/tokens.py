"""Tokens: what scripts show instead of a password. The secret is shown once; only its hash is kept."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, get_args

from bigviz.common.errors import BadInput, Busy, NoSpace, NotFound
from bigviz.library.names import storable
from bigviz.library.secrets import hash_of, new_secret, new_short_id
from bigviz.library.storage.database import Database
from bigviz.library.users import check_user

__all__ = ["SCOPES", "Scope", "TokenEntry", "Tokens"]

Scope = Literal["read", "write", "append", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

_DAY: Final = 86_400.0
_MOST_DAYS: Final = 36_500
_SECONDS_BETWEEN_USES: Final = 60.0
_COLUMNS: Final = "id, user, scope, created, expires, last_used"


@dataclass(frozen=True)
class TokenEntry:
    """A token without its secret. Times are seconds since the epoch; `last_used` is right to a minute."""

    id: str
    user: str
    scope: Scope
    created: float
    expires: float
    last_used: float | None

    @property
    def expired(self) -> bool:
        """Whether it is no longer valid, by this machine's clock."""
        return time.time() >= self.expires


class Tokens:
    """The tokens of a library's users. What has returned is on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user: str, scope: Scope, days: float) -> tuple[TokenEntry, str]:
        """A new token and its secret, which cannot be had again. Raises NotFound for the user, BadInput for another
        scope, or for days that are not above 0 and at most 36,500."""
        if scope not in SCOPES:
            raise BadInput(f"A scope is one of {', '.join(SCOPES)}, got {scope!r}.", "scope", scope)
        if not 0 < days <= _MOST_DAYS:
            raise BadInput(
                f"A token is valid for more than 0 and at most {_MOST_DAYS:,} days, got {days}.", "days", days
            )
        secret, now = new_secret(), self._database.now()
        entry = TokenEntry(new_short_id(), user, scope, now, now + days * _DAY, None)
        with self._database.write() as db:
            check_user(db, user)
            db.execute(
                f"INSERT INTO tokens (hash, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, NULL)",
                (hash_of(secret), entry.id, user, scope, now, entry.expires),
            )
        return entry, secret

    def entries(self, user: str | None = None) -> list[TokenEntry]:
        """The tokens of a user, or of all; expired ones too, the newest first."""
        with self._database.read() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} FROM tokens WHERE :user IS NULL OR user = :user ORDER BY created DESC, id",
                {"user": None if user is None else storable(user)},
            )
            return [TokenEntry(*row) for row in rows]

    def revoke(self, id: str, user: str | None = None) -> None:
        """Remove a token. Raises NotFound, also where a `user` is given and the token is somebody else's."""
        with self._database.write() as db:
            done = db.execute(
                "DELETE FROM tokens WHERE id = :id AND (:user IS NULL OR user = :user)",
                {"id": storable(id), "user": user},
            )
            if not done.rowcount:
                raise NotFound(f"There is no token {id!r}.", "id", id)

    def find(self, secret: str) -> TokenEntry | None:
        """The token of a secret, None for one that never was or was revoked. One that has expired says so."""
        with self._database.read() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM tokens WHERE hash = ?", (hash_of(secret),)).fetchone()
        if row is None:
            return None
        entry = TokenEntry(*row)
        now = self._database.now()
        if now < entry.expires and abs(now - (entry.last_used or 0.0)) >= _SECONDS_BETWEEN_USES:
            with suppress(Busy, NoSpace), self._database.write() as db:  # not worth refusing the request for
                db.execute("UPDATE tokens SET last_used = ? WHERE id = ?", (now, entry.id))
        return entry
