"""A library with people who may do different things with one document and one dataset, for tests of who may do what."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.library.library import Library

ROLES = ("viewer", "writer", "owner")
DOCUMENT: dict[str, Any] = document(figure(title="Secret").points("rows", "x", "y"), id="secret").to_json()
PASSWORD = "correct horse battery staple"


@dataclass
class People:
    """The document `secret` and its users, each named after the role on it; a `stranger` has none, `admin` is one."""

    library: Library
    tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, directory: Path, **options: Any) -> People:
        found = cls(Library.open(directory, **options))
        users = found.library.users
        for name in (*ROLES, "stranger"):
            users.add(name)
        users.add("admin", admin=True)
        for name in (*ROLES, "stranger", "admin"):
            found.tokens[name] = found.library.tokens.create(name, "admin", 1)[1]
        found.restore()
        return found

    def restore(self) -> None:
        """The document and its roles as they were at first."""
        self.library.documents.put("secret", DOCUMENT, title="Secret", datasets=["rows"], author="owner")
        self.library.access.set("document", "secret", False, {"viewer": "viewer", "writer": "writer", "owner": "owner"})

    def bearer(self, name: str, scope: str | None = None) -> dict[str, str]:
        """The header of a user's token, of one of this scope where it is given."""
        token = self.tokens[name] if scope is None else self.library.tokens.create(name, scope, 1)[1]
        return {"Authorization": f"Bearer {token}"}

    def cookie(self, name: str, port: int) -> dict[str, str]:
        """The header of a session of a user."""
        return {"Cookie": f"bigviz-{port}={self.library.sessions.create(name)}"}
