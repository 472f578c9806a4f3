"""A library: its version, whether it is whole, and who uses it. Only read, also while a server runs."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bigviz.commands.doctor.finding import Finding
from bigviz.common.errors import BigvizError
from bigviz.library.storage.directory import DATABASE, FILES
from bigviz.library.storage.migrations import MIGRATIONS, version_of

__all__ = ["library"]

_SECONDS = 10.0
_SHOWN = 3


def library(directory: Path) -> Iterator[Finding]:
    """What is in a directory of a library; nothing is made or changed."""
    path = directory / DATABASE
    if not path.exists():
        yield Finding("library", "database", f"none at {directory}", "note", "`bigviz serve` without a PATH makes one.")
        return
    mode = stat.S_IMODE(directory.stat().st_mode)
    if mode & 0o077:
        remedy = f"It holds hashes of passwords and private data: chmod 700 {directory}"
        yield Finding("library", "mode", f"{mode:o}, others may look inside", "problem", remedy)
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_SECONDS)) as database:
            yield from _database(database, path)
    except BigvizError as error:
        yield Finding("library", "database", "cannot be used", "problem", error.message)
    except sqlite3.Error as error:
        yield Finding("library", "database", f"cannot be read ({error})", "problem", _damaged(path))


def _database(database: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    version = version_of(database, str(path))
    older = "" if version == len(MIGRATIONS) else f", brought to {len(MIGRATIONS)} when it is opened next"
    yield Finding("library", "schema version", f"{version}{older}")
    found = [str(row[0]) for row in database.execute("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        yield Finding("library", "integrity", "; ".join(found), "problem", _damaged(path))
        return
    yield Finding("library", "integrity", "ok")
    if version == 0:
        return
    users, admins = database.execute("SELECT count(*), coalesce(sum(admin), 0) FROM users").fetchone()
    if users and not admins:
        remedy = "Nobody may see and change everything: `bigviz user add NAME --admin` adds who may."
        yield Finding("library", "users", f"{users:,}, no admin", "note", remedy)
    else:
        yield Finding("library", "users", f"{users:,}" if users else "none: whoever runs the server needs no login")
    yield _files(database, path.parent / FILES)


def _files(database: sqlite3.Connection, folder: Path) -> Finding:
    """Whether the files of all datasets are there, in their length."""
    rows = database.execute(
        "SELECT items.name, datasets.hash, datasets.format, datasets.bytes FROM datasets "
        "JOIN items ON items.id = datasets.item ORDER BY items.name"
    ).fetchall()
    bad = [name for name, digest, form, length in rows if _length(folder / f"{digest}.{form}") != length]
    if not bad:
        return Finding("library", "datasets", f"{len(rows):,}, all there")
    names = ", ".join(bad[:_SHOWN]) + (", ..." if len(bad) > _SHOWN else "")
    remedy = f"Put {folder} back from a backup, or upload them again."
    return Finding(
        "library", "datasets", f"{len(bad):,} of {len(rows):,} missing or cut short: {names}", "problem", remedy
    )


def _length(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _damaged(path: Path) -> str:
    return (
        f"Put a backup in the place of {path}, or save what can be read: "
        f"`sqlite3 {path.name} .recover | sqlite3 saved.sqlite`."
    )
