"""The tables of a library, and how each version of them came from the one before.

`PRAGMA user_version` says how many of `MIGRATIONS` a database has been through. One that has been through is never
changed; a new table or column is a new entry at the end.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from bigviz.common.errors import BadInput, Unreadable

__all__ = ["APPLICATION_ID", "MIGRATIONS", "migrate", "version_of"]

APPLICATION_ID: Final = 0x62677631  # "bgv1", in SQLite's header: no other program's database is taken for a library

_FIRST: Final = (
    # What has a name, an owner and access. `version` is the current one. `name_key` and `title_key` are what sorting
    # and searching compare.
    """CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('document', 'dataset')),
        name TEXT NOT NULL,
        name_key TEXT NOT NULL,
        title TEXT NOT NULL,
        title_key TEXT NOT NULL,
        owner TEXT,
        public INTEGER NOT NULL CHECK (public IN (0, 1)),
        version INTEGER NOT NULL,
        updated REAL NOT NULL,
        UNIQUE (kind, name)
    )""",
    "CREATE INDEX items_by_owner ON items (kind, owner)",
    "CREATE INDEX items_by_time ON items (kind, updated)",
    "CREATE INDEX items_public ON items (kind) WHERE public",
    """CREATE TABLE roles (
        item INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
        user TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('viewer', 'writer', 'owner')),
        PRIMARY KEY (item, user)
    ) WITHOUT ROWID""",
    "CREATE INDEX roles_by_user ON roles (user)",
    # The last version of a name that was deleted: numbers go on after it.
    """CREATE TABLE last_versions (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (kind, name)
    ) WITHOUT ROWID""",
    # `digest` is the SHA-256 of the same JSON with sorted keys.
    """CREATE TABLE document_versions (
        document INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        title TEXT NOT NULL,
        author TEXT,
        created REAL NOT NULL,
        digest BLOB NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (document, version)
    )""",
    # Names, not references: a dataset may be one of the server's own files, or be deleted before an old version is.
    """CREATE TABLE version_datasets (
        document INTEGER NOT NULL,
        version INTEGER NOT NULL,
        place INTEGER NOT NULL,
        dataset TEXT NOT NULL,
        PRIMARY KEY (document, version, place),
        FOREIGN KEY (document, version) REFERENCES document_versions (document, version) ON DELETE CASCADE
    ) WITHOUT ROWID""",
    "CREATE INDEX version_datasets_by_name ON version_datasets (dataset)",
    """CREATE TABLE datasets (
        item INTEGER PRIMARY KEY REFERENCES items (id) ON DELETE CASCADE,
        hash TEXT NOT NULL,
        format TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        row_count INTEGER NOT NULL,
        columns TEXT NOT NULL,
        attached INTEGER NOT NULL CHECK (attached IN (0, 1))
    )""",
    """CREATE TABLE users (
        name TEXT NOT NULL PRIMARY KEY,
        admin INTEGER NOT NULL CHECK (admin IN (0, 1)),
        password TEXT,
        created REAL NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE tokens (
        hash BLOB NOT NULL PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        scope TEXT NOT NULL CHECK (scope IN ('read', 'write', 'append', 'admin')),
        created REAL NOT NULL,
        expires REAL NOT NULL,
        last_used REAL
    ) WITHOUT ROWID""",
    "CREATE INDEX tokens_by_user ON tokens (user)",
    """CREATE TABLE sessions (
        hash BLOB NOT NULL PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        expires REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX sessions_by_user ON sessions (user)",
    "CREATE INDEX sessions_by_end ON sessions (expires)",
    """CREATE TABLE links (
        hash BLOB NOT NULL PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        expires REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX links_by_user ON links (user)",
    # A name, not a reference: documents of the server's own files have views too.
    """CREATE TABLE views (
        id TEXT NOT NULL PRIMARY KEY,
        document TEXT NOT NULL,
        hash TEXT NOT NULL,
        used REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX views_by_document ON views (document, used)",
)

_MAKERS_OF_VIEWS: Final = (
    "ALTER TABLE views ADD COLUMN maker TEXT NOT NULL DEFAULT ''",
    "DROP INDEX views_by_document",
    "CREATE INDEX views_by_document ON views (document, maker, used)",
)

# `log` is the directory of what was appended to a dataset since it was uploaded, up to `log_version`, as far as that is
# known here; `row_count` and `bytes` are those of the upload.
_APPEND_LOGS: Final = (
    "ALTER TABLE datasets ADD COLUMN log TEXT",
    "ALTER TABLE datasets ADD COLUMN log_version INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE datasets ADD COLUMN log_rows INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE datasets ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE datasets ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1))",
    "ALTER TABLE datasets ADD COLUMN order_by TEXT",
)

# Which rows of a dataset that is appended to are kept; null: all. `rollover_age` is in seconds.
_ROLLOVER: Final = (
    "ALTER TABLE datasets ADD COLUMN rollover_rows INTEGER",
    "ALTER TABLE datasets ADD COLUMN rollover_bytes INTEGER",
    "ALTER TABLE datasets ADD COLUMN rollover_age REAL",
)

# Versions are compared by their JSON, which is there anyway: a digest of it in another order cost a second writing.
_NO_DIGESTS: Final = ("ALTER TABLE document_versions DROP COLUMN digest",)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST, _MAKERS_OF_VIEWS, _APPEND_LOGS, _ROLLOVER, _NO_DIGESTS)
"""The statements that lead from version n to n + 1, at place n."""


def version_of(connection: sqlite3.Connection, path: str) -> int:
    """The version of a database, 0 for an empty one. Changes nothing. Raises Unreadable for a version that this bigviz
    does not know, BadInput for the database of another program."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (tables or version):
        raise BadInput(
            f"{path} is a database of another program: choose another directory with --library.", "library", path
        )
    if version > len(MIGRATIONS):
        raise Unreadable(
            f"{path} has version {version}, written by a newer bigviz; this one knows versions up to "
            f"{len(MIGRATIONS)}: update bigviz, or choose another directory with --library.",
            "library",
            version,
        )
    return int(version)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a database from a version to the newest, in the transaction that the caller has begun."""
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
