"""`/_/api/openapi.json`: the routes of the server, described for programs; those below `/_/api` in full."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bigviz import __version__
from bigviz.library.listing import MOST
from bigviz.server.access.gate import Need
from bigviz.server.api.appending import BODIES
from bigviz.server.api.base import LISTED
from bigviz.server.api.datasets import FORMATS
from bigviz.server.api.operations import header, json_of, operation, query
from bigviz.server.api.page_paths import page_paths
from bigviz.server.api.schemas import SCHEMAS, Schema, object_of, ref
from bigviz.server.http.base import Handler

__all__ = ["OpenApi", "description"]

_IF_MATCH: Final = header(
    "If-Match", {"type": "string", "pattern": '^"?[0-9]{1,15}"?$'}, 'the version that is to be changed, in quotes: "3"'
)
_IF_NEW: Final = header("If-None-Match", {"enum": ["*"]}, "*: only where there is nothing of that name")


_KEY: Final = header(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 257},
    "a repeat gets the first answer, and changes nothing",
)
_LIMIT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 1 << 53}
_AGE: Final[Schema] = {"type": "number", "minimum": 0.001, "maximum": 1e9}


def _page(*sorts: str) -> list[Schema]:
    return [
        query("q", {"type": "string"}, "words that have to be in the name, the title or the owner"),
        query("sort", {"enum": list(sorts), "default": sorts[0]}, "the newest first; the others go up"),
        query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LISTED}, "of one page"),
        query("after", {"type": "string"}, "`next` of the page before"),
    ]


def _access(what: str) -> Schema:
    return {
        "get": operation(f"Who may see a {what}, and do what.", {"200": "Access"}, "409"),
        "put": operation(
            f"Let these users and no others see a {what}. The owner stays one.",
            {"200": "Access"},
            "409 413 507",
            body=json_of("Access"),
        ),
    }


def _document_paths() -> dict[str, Schema]:
    picture = operation("A picture of 480 x 300.", {})
    picture["responses"]["200"] = {"description": "A PNG.", "content": {"image/png": {}}}
    return {
        "/documents": {
            "get": operation(
                "The documents that the caller may see.",
                {"200": "DocumentList"},
                parameters=_page("updated", "name", "title", "owner"),
            )
        },
        "/documents/{name}": {
            "get": operation(
                "A document.",
                {"200": "Document"},
                parameters=[query("version", {"type": "integer", "minimum": 1}, "one that is kept")],
            ),
            "put": operation(
                "Publish a document. Content that equals the current version makes none.",
                {"200": "Published", "201": "Published"},
                "409 412 413 422 507",
                parameters=[_IF_MATCH, _IF_NEW],
                body=json_of("Document"),
            ),
            "delete": operation("Take a document away.", {"204": None}, "409 412 507", parameters=[_IF_MATCH]),
        },
        "/documents/{name}/versions": {
            "get": operation("The versions that are kept, the newest first.", {"200": "Versions"}, "409")
        },
        "/documents/{name}/restore": {
            "post": operation(
                "Make a new version that is as an old one was.",
                {"200": "Published"},
                "409 412 413 422 507",
                parameters=[_IF_MATCH],
                body=json_of("Version"),
            )
        },
        "/documents/{name}/access": _access("document"),
        "/documents/{name}/embed": {
            "post": operation(
                "A token with which pages of another origin may show a document.",
                {"201": "PageToken"},
                "409 413",
                body=json_of("NewPageToken"),
            )
        },
        "/documents/{name}/thumbnail.png": {"get": picture},
    }


def _dataset_paths() -> dict[str, Schema]:
    return {
        "/datasets": {
            "get": operation(
                "The datasets that the caller may see.",
                {"200": "DatasetList"},
                parameters=_page("updated", "name", "owner"),
            )
        },
        "/datasets/{name}": {
            "get": operation("What is known of a dataset.", {"200": "Dataset"}),
            "put": operation(
                "Upload a table. On an existing name it needs If-Match.",
                {"200": "Kept", "201": "Kept"},
                "409 412 413 415 422 507",
                parameters=[
                    _IF_MATCH,
                    _IF_NEW,
                    query("attached", {"enum": ["0", "1"]}, "1: it goes once no document names it"),
                    query("order_by", {"type": "string"}, "the column that the rows are in order of, for people"),
                    query("rollover_rows", _LIMIT, "only the last so many rows are kept"),
                    query("rollover_bytes", _LIMIT, "only those of the last appends that take no more bytes"),
                    query("rollover_age", _AGE, "only those that came in the last so many seconds"),
                ],
                body=_binary(FORMATS),
            ),
            "delete": operation(
                "Take a dataset away that no document shows.", {"204": None}, "409 412 507", parameters=[_IF_MATCH]
            ),
        },
        "/datasets/{name}/access": _access("dataset"),
    }


def _append_paths() -> dict[str, Schema]:
    stream = _binary(list(BODIES)[:1])
    batches = operation(
        "What is appended, as an Arrow IPC stream that goes on until the dataset is sealed.",
        {},
        "409 410",
        parameters=[query("after", {"type": "integer", "minimum": 0}, "a version; by default, the one that is there")],
    )
    batches["responses"]["200"] = {"description": "Batches, with version and offset.", "content": stream}
    return {
        "/datasets/{name}/append": {
            "post": operation(
                "Append rows: one body is one version. It is answered once the rows are durable.",
                {"200": "Appended"},
                "409 413 415 422 507",
                parameters=[_KEY],
                body=_binary(BODIES),
            )
        },
        "/datasets/{name}/patch": {
            "post": operation(
                "Give rows other values: those that the column _row numbers, or that the column `key` has keys of.",
                {"200": "Patched"},
                "409 413 415 422 507",
                parameters=[_KEY, query("key", {"type": "string"}, "the column that says which rows are meant")],
                body=stream,
            )
        },
        "/datasets/{name}/batches": {"get": batches},
        "/datasets/{name}/seal": {"post": operation("Let nothing more be appended.", {"200": "Sealed"}, "409 413 507")},
    }


def _binary(kinds: Iterable[str]) -> Schema:
    """A body of bytes, of one of some content types."""
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


def _other_paths() -> dict[str, Schema]:
    return {
        "/me": {"get": operation("Who the caller is and may do.", {"200": "Me"})},
        "/tokens": {
            "get": operation("The caller's tokens.", {"200": "Tokens"}, "409"),
            "post": operation("A new token.", {"201": "Token"}, "409 413 507", body=json_of("NewToken")),
        },
        "/tokens/{id}": {"delete": operation("Take a token away.", {"204": None}, "409 507")},
        "/openapi.json": {"get": operation("This.", {"200": "OpenApi"})},
    }


def _user_paths() -> dict[str, Schema]:
    return {
        "/users": {
            "get": operation("The users, for admins.", {"200": "Users"}, "409"),
            "post": operation("A new user.", {"201": "User"}, "409 413 507", body=json_of("NewUser")),
        },
        "/users/{name}": {"delete": operation("Take a user away; not oneself.", {"204": None}, "409 507")},
        "/users/{name}/password": {
            "put": operation(
                "Another password, which ends the user's sessions.",
                {"204": None},
                "409 413 507",
                body=json_of("NewPassword"),
            )
        },
        "/users/{name}/link": {
            "post": operation(
                "An address that signs the user in, once and within 15 minutes.",
                {"201": "Link"},
                "409 413 507",
                body=json_of("Nothing"),
            )
        },
        "/users/{name}/tokens": {
            "get": operation("The user's tokens.", {"200": "Tokens"}, "409"),
            "post": operation("A new token of the user's.", {"201": "Token"}, "409 413 507", body=json_of("NewToken")),
        },
    }


def description(prefix: str = "") -> Schema:
    """The OpenAPI description of a server whose addresses begin with `prefix`."""
    paths = {**_document_paths(), **_dataset_paths(), **_append_paths(), **_other_paths(), **_user_paths()}
    for path, methods in paths.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        if names:
            methods["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
                for name in names
            ]
    paths |= {path: {**methods, "servers": [{"url": prefix or "/"}]} for path, methods in page_paths().items()}
    tokens = object_of({"tokens": {"type": "array", "items": ref("Token")}})
    return {
        "openapi": "3.1.0",
        "info": {"title": "bigviz", "version": __version__},
        "servers": [{"url": f"{prefix}/_/api"}],
        "paths": paths,
        "components": {
            "schemas": {**SCHEMAS, "Tokens": tokens, "OpenApi": {"type": "object"}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


class OpenApi(Handler):
    """`openapi.json`."""

    need = Need.PUBLIC

    async def answer(self, *args: str) -> None:
        self.write_json(description(self.mount))
        self.finish()
