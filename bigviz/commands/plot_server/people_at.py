"""The people of a plot server: of its library on this machine, or of a server by its address, in the same words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from bigviz.client.connect import Connection
from bigviz.client.http import route
from bigviz.commands.publish import server_at
from bigviz.common.errors import BadInput
from bigviz.library.library import Library
from bigviz.library.tokens import Scope, TokenEntry
from bigviz.library.users import Kept, UserEntry

__all__ = ["People", "people_at"]


class People(Protocol):
    """What `bigviz user` and `bigviz token` do. Each call raises what the library or the server refuses."""

    @property
    def options(self) -> str:
        """The options that name the place, each with a space before it."""

    def add(self, name: str, admin: bool, password: str | None) -> None: ...
    def entries(self) -> Sequence[tuple[UserEntry, Kept]]: ...
    def remove(self, name: str) -> None: ...
    def set_password(self, name: str, password: str) -> None: ...

    def make_link(self, name: str) -> str:
        """The address of a link, or of a library, which knows no address, its secret."""

    def create_token(self, user: str | None, scope: Scope, days: float) -> tuple[TokenEntry, str]:
        """A token of a user (None: of the caller) and its secret."""

    def tokens(self, user: str | None) -> Sequence[TokenEntry]:
        """The tokens of a user; None: all of a library, the caller's own of a server."""

    def revoke(self, id: str) -> None: ...


@contextmanager
def people_at(directory: Path | None, url: str | None, token_file: Path | None) -> Iterator[People]:
    """Those of the server at `url`, else of the library in a directory (None: the user's own)."""
    if url is not None:
        if directory is not None:
            raise BadInput("--library is a directory of this machine, --url another server: give one of them.", "url")
        yield _OfServer(server_at(url, token_file), token_file)
        return
    if token_file is not None:
        raise BadInput("--token-file is for the server that --url names.", "token-file")
    with Library.open(directory) as library:
        yield _OfLibrary(library, directory)


class _OfLibrary:
    def __init__(self, library: Library, directory: Path | None) -> None:
        self._library = library
        self.options = "" if directory is None else f" --library {shlex.quote(str(directory))}"

    def add(self, name: str, admin: bool, password: str | None) -> None:
        self._library.users.add(name, admin=admin, password=password)

    def entries(self) -> Sequence[tuple[UserEntry, Kept]]:
        return [(each, self._library.kept_by(each.name)) for each in self._library.users.entries()]

    def remove(self, name: str) -> None:
        self._library.users.remove(name)

    def set_password(self, name: str, password: str) -> None:
        self._library.users.set_password(name, password)

    def make_link(self, name: str) -> str:
        return self._library.users.make_link(name)

    def create_token(self, user: str | None, scope: Scope, days: float) -> tuple[TokenEntry, str]:
        if user is None:
            raise BadInput("Whose token? Give --user NAME, or --url for one of your own on a server.", "user")
        return self._library.tokens.create(user, scope, days)

    def tokens(self, user: str | None) -> Sequence[TokenEntry]:
        return self._library.tokens.entries(user)

    def revoke(self, id: str) -> None:
        self._library.tokens.revoke(id)


class _OfServer:
    def __init__(self, server: Connection, token_file: Path | None) -> None:
        self._server = server
        token = "" if token_file is None else f" --token-file {shlex.quote(str(token_file))}"
        self.options = f" --url {shlex.quote(server.url)}{token}"

    def add(self, name: str, admin: bool, password: str | None) -> None:
        self._ask("POST", "/_/api/users", {"name": name, "admin": admin, "password": password})

    def entries(self) -> Sequence[tuple[UserEntry, Kept]]:
        found = self._ask("GET", "/_/api/users")["users"]
        return [
            (UserEntry(each["name"], each["admin"], each["created"], each["password"]),
             Kept(each["documents"], each["bytes"]))
            for each in found
        ]  # fmt: skip

    def remove(self, name: str) -> None:
        self._ask("DELETE", route("users", name))

    def set_password(self, name: str, password: str) -> None:
        self._ask("PUT", route("users", name, "password"), {"password": password})

    def make_link(self, name: str) -> str:
        return str(self._ask("POST", route("users", name, "link"), {})["url"])

    def create_token(self, user: str | None, scope: Scope, days: float) -> tuple[TokenEntry, str]:
        path = "/_/api/tokens" if user is None else route("users", user, "tokens")
        made = self._ask("POST", path, {"scope": scope, "days": days})
        secret = str(made.pop("token"))
        return TokenEntry(user=user or self._me(), **made), secret

    def tokens(self, user: str | None) -> Sequence[TokenEntry]:
        found = self._ask("GET", "/_/api/tokens" if user is None else route("users", user, "tokens"))["tokens"]
        whose = user or self._me()
        return [TokenEntry(user=whose, **each) for each in found]

    def revoke(self, id: str) -> None:
        self._ask("DELETE", route("tokens", id))

    def _me(self) -> str:
        return self._ask("GET", "/_/api/me")["user"] or "the operator"

    def _ask(self, method: str, path: str, value: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._server.http.send(method, path, value)
