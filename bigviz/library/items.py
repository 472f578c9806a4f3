"""What documents and datasets have in common: a name, an owner, access, and versions that count up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any, Final, Literal

from bigviz.common.errors import NotFound, OutOfDate
from bigviz.library.names import search_key, storable

__all__ = [
    "COLUMNS",
    "Expect",
    "Item",
    "Kind",
    "advance",
    "check_version",
    "create",
    "existing",
    "find",
    "remove",
    "touch",
]

Kind = Literal["document", "dataset"]
Expect = int | Literal["absent"] | None
"""The version that a change is of: a number, "absent" for a name that must be free, None for any."""

COLUMNS: Final = "id, kind, name, title, owner, public, version, updated"


@dataclass(frozen=True)
class Item:
    """A row of `items`: a document or a dataset at its current version."""

    id: int
    kind: Kind
    name: str
    title: str
    owner: str | None
    public: bool
    version: int
    updated: float

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Item:
        """From a row of `COLUMNS`."""
        return cls(row[0], row[1], row[2], row[3], row[4], bool(row[5]), row[6], row[7])


def find(db: Connection, kind: Kind, name: str) -> Item | None:
    """The item of that name, None without one."""
    row = db.execute(f"SELECT {COLUMNS} FROM items WHERE kind = ? AND name = ?", (kind, storable(name))).fetchone()
    return None if row is None else Item.of(row)


def existing(db: Connection, kind: Kind, name: str) -> Item:
    """The item of that name; NotFound without one."""
    item = find(db, kind, name)
    if item is None:
        raise NotFound(f"There is no {kind} {name!r}.", "name", name)
    return item


def check_version(item: Item | None, kind: Kind, name: str, expect: Expect) -> None:
    """Raises OutOfDate where the version that is there is not the one that is expected."""
    version = None if item is None else item.version
    if expect is None or expect == ("absent" if version is None else version):
        return
    there = "there is none" if version is None else f"it is at version {version}"
    wanted = "to be no such name" if expect == "absent" else f"at version {expect}"
    raise OutOfDate(
        f"The {kind} {name!r} was expected {wanted}, and {there}: look at what is there, and try again.",
        "version",
        expect,
        version,
    )


def create(db: Connection, kind: Kind, name: str, title: str, owner: str | None, now: float) -> Item:
    """A new, private item. Its version follows the last one that the name had before it was deleted."""
    row = db.execute("SELECT version FROM last_versions WHERE kind = ? AND name = ?", (kind, name)).fetchone()
    version = 1 if row is None else row[0] + 1
    title = storable(title)
    done = db.execute(
        "INSERT INTO items (kind, name, name_key, title, title_key, owner, public, version, updated)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)",
        (kind, name, search_key(name), title, search_key(title), owner, version, now),
    )
    assert done.lastrowid is not None
    return Item(done.lastrowid, kind, name, title, owner, False, version, now)


def advance(db: Connection, item: Item, title: str, now: float) -> Item:
    """The item with a new version."""
    new = replace(item, title=storable(title), version=item.version + 1, updated=now)
    db.execute(
        "UPDATE items SET title = ?, title_key = ?, version = ?, updated = ? WHERE id = ?",
        (new.title, search_key(new.title), new.version, now, item.id),
    )
    return new


def touch(db: Connection, item: Item, now: float) -> Item:
    """The item as changed now, at the version it has."""
    db.execute("UPDATE items SET updated = ? WHERE id = ?", (now, item.id))
    return replace(item, updated=now)


def remove(db: Connection, item: Item) -> None:
    """Take an item away with all that belongs to it, but for the number of its last version."""
    db.execute(
        "INSERT INTO last_versions (kind, name, version) VALUES (?, ?, ?)"
        " ON CONFLICT (kind, name) DO UPDATE SET version = excluded.version",
        (item.kind, item.name, item.version),
    )
    db.execute("DELETE FROM items WHERE id = ?", (item.id,))
