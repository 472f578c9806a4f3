"""Who may see and change a document or dataset: its owner, roles of users, and whether it is public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final, Literal, get_args

from bigviz.common.errors import BadInput, Forbidden, NotFound
from bigviz.library.items import Expect, Item, Kind, check_version, existing, find
from bigviz.library.names import check_user_name, storable
from bigviz.library.storage.database import Database

__all__ = ["ANYONE", "OPERATOR", "ROLES", "Access", "Caller", "Role", "changeable", "replaceable", "role_of"]

Role = Literal["viewer", "writer", "owner"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""From the lowest to the highest; each may do what those before it may."""

_MOST_USERS: Final = 10_000


@dataclass(frozen=True)
class Caller:
    """Whom the library answers: a user, anyone (None), or an admin, who may see and change everything."""

    user: str | None = None
    admin: bool = False


ANYONE: Final = Caller()
OPERATOR: Final = Caller(admin=True)


class Access:
    """Roles on documents and datasets. Names of users need not be of this library: a proxy may know them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def role(self, kind: Kind, name: str, user: str | None) -> Role | None:
        """What a user (None: anyone) may do; None for a name that does not exist or that the user may not know of."""
        with self._database.read() as db:
            item = find(db, kind, name)
            return None if item is None else role_of(db, item, user)

    def get(self, kind: Kind, name: str) -> dict[str, Any]:
        """`{"public": bool, "users": {NAME: role}}`, the owner included, in the order of names."""
        with self._database.read() as db:
            item = existing(db, kind, name)
            users = dict(db.execute("SELECT user, role FROM roles WHERE item = ?", (item.id,)))
        if item.owner is not None:
            users[item.owner] = "owner"
        return {"public": item.public, "users": dict(sorted(users.items()))}

    def set(
        self, kind: Kind, name: str, public: bool, users: Mapping[str, Role], *, caller: Caller | None = None
    ) -> None:
        """Let these users and no others in. The owner stays unless `users` gives it another role; then another must be
        owner.

        Raises NotFound for the name, BadInput for names of users, roles and a missing owner; with a `caller`, NotFound
        or Forbidden where it does not own this.
        """
        if len(users) > _MOST_USERS:
            raise BadInput(f"Access is for at most {_MOST_USERS:,} users, got {len(users):,}.", "users", len(users))
        for user, role in users.items():
            check_user_name(user, "users")
            if role not in ROLES:
                raise BadInput(f"The role of {user} is one of {', '.join(ROLES)}, got {role!r}.", "users", role)
        with self._database.write() as db:
            item = changeable(db, kind, name, caller, "owner", None)
            owner = _next_owner(item.owner, users)
            db.execute("UPDATE items SET public = ?, owner = ? WHERE id = ?", (public, owner, item.id))
            db.execute("DELETE FROM roles WHERE item = ?", (item.id,))
            rows = [(item.id, user, role) for user, role in users.items() if user != owner]
            db.executemany("INSERT INTO roles (item, user, role) VALUES (?, ?, ?)", rows)


def role_of(db: Connection, item: Item, user: str | None) -> Role | None:
    """What a user (None: anyone) may do with an item."""
    if user is not None:
        if user == item.owner:
            return "owner"
        row = db.execute("SELECT role FROM roles WHERE item = ? AND user = ?", (item.id, storable(user))).fetchone()
        if row is not None:
            role: Role = row[0]
            return role
    return "viewer" if item.public else None


def changeable(db: Connection, kind: Kind, name: str, caller: Caller | None, role: Role, expect: Expect) -> Item:
    """The item of that name, for a change that takes `role`. None for `caller` is one that was checked before.

    Raises NotFound without the item, or where the caller may not know of it, Forbidden where the caller's role is
    lower, OutOfDate where the item is not at the version `expect`.
    """
    item = existing(db, kind, name)
    _require(db, item, caller, role)
    check_version(item, kind, name, expect)
    return item


def replaceable(db: Connection, kind: Kind, name: str, caller: Caller | None, expect: Expect) -> Item | None:
    """The same for a new version, which takes a writer; None for a name that is free."""
    item = find(db, kind, name)
    if item is not None:
        _require(db, item, caller, "writer")
    check_version(item, kind, name, expect)
    return item


def _require(db: Connection, item: Item, caller: Caller | None, role: Role) -> None:
    if caller is None or caller.admin:
        return
    has = role_of(db, item, caller.user)
    if has is None:
        raise NotFound(f"There is no {item.kind} {item.name!r}.", "name", item.name)
    if ROLES.index(has) < ROLES.index(role):
        raise Forbidden(f"This needs the role {role} on the {item.kind} {item.name!r}; yours is {has}.", "name", has)


def _next_owner(owner: str | None, users: Mapping[str, Role]) -> str | None:
    if owner is not None and users.get(owner, "owner") == "owner":
        return owner
    named = sorted(user for user, role in users.items() if role == "owner")
    if owner is not None and not named:
        raise BadInput(f"Somebody has to own this: name another owner, or leave {owner} owner.", "users", owner)
    return named[0] if named else None
