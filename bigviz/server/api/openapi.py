"""`/_/api/openapi.json`: the routes below `/_/api`, described for programs."""

from __future__ import annotations

from typing import Any, Final

from bigviz import __version__
from bigviz.common.web.page_tokens import DEFAULT_SECONDS, MOST_SECONDS
from bigviz.library.access import ROLES
from bigviz.library.listing import MOST
from bigviz.library.tokens import SCOPES
from bigviz.server.access.gate import Need
from bigviz.server.api.appending import BODIES
from bigviz.server.api.base import LISTED
from bigviz.server.api.datasets import FORMATS
from bigviz.server.http.base import Handler

__all__ = ["OpenApi", "description"]

Schema = dict[str, Any]

_NULL_TEXT: Final[Schema] = {"type": ["string", "null"]}
_COUNT: Final[Schema] = {"type": ["integer", "null"], "minimum": 0}
_VERSION: Final[Schema] = {"type": "integer", "minimum": 1}
_TIME: Final[Schema] = {"type": "number", "description": "seconds since 1970-01-01 UTC"}
_ROLE: Final[Schema] = {"enum": list(ROLES)}
_SCOPE: Final[Schema] = {"enum": list(SCOPES)}
_ERRORS: Final = {
    "400": "The request is not well formed.",
    "401": "The caller has to sign in, or the token is wrong or has expired.",
    "403": "The caller may see this, but not do it.",
    "404": "There is no such thing, or the caller may not know of it.",
    "409": "What is there does not allow it.",
    "412": "Another version is there than the client expects.",
    "413": "The body is beyond a limit.",
    "415": "The body is of a content type that is not read.",
    "422": "The data is damaged, or not what the document needs.",
    "429": "The caller asks too often: Retry-After says when to come again.",
    "503": "The server has too much to do: Retry-After says when to come again.",
    "507": "The library's disk is full.",
}


def _object(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _listed(name: str, entry: Schema) -> Schema:
    return _object({name: {"type": "array", "items": entry}, "next": _NULL_TEXT})


_USER_NAME: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"}
_USER: Final = _object(
    {
        "name": _USER_NAME,
        "admin": {"type": "boolean"},
        "password": {"type": "boolean", "description": "whether there is one"},
        "created": _TIME,
        "documents": {"type": "integer", "description": "that the user owns"},
        "bytes": {"type": "integer", "description": "of them and of the user's datasets"},
    }
)
_LISTED: Final[Schema] = {
    "name": {"type": "string"},
    "owner": _NULL_TEXT,
    "public": {"type": "boolean"},
    "role": _ROLE,
    "version": {"type": ["integer", "null"], "description": "null: the server was started with it"},
    "rows": _COUNT,
    "bytes": _COUNT,
    "updated": _TIME,
}
_SCHEMAS: Final[dict[str, Schema]] = {
    "Error": _object(
        {
            "error": {"type": "string"},
            "field": _NULL_TEXT,
            "got": {},
            "version": {"type": ["integer", "null"], "description": "of a 412: the version that is there"},
        },
        ("version",),
    ),
    "Document": {
        "type": "object",
        "description": "A document of format 1 or 2: docs/document.md, bigviz/document/schema.json.",
        "required": ["format"],
    },
    "DocumentList": _listed("documents", _object({**_LISTED, "title": {"type": "string"}})),
    "DatasetList": _listed("datasets", _object(_LISTED)),
    "Published": _object({"name": {"type": "string"}, "version": _VERSION, "url": {"type": "string", "format": "uri"}}),
    "Versions": _object(
        {
            "versions": {
                "type": "array",
                "items": _object(
                    {"version": _VERSION, "author": _NULL_TEXT, "created": _TIME, "bytes": {"type": "integer"}}
                ),
            }
        }
    ),
    "Version": _object({"version": _VERSION}),
    "Access": _object(
        {
            "public": {"type": "boolean"},
            "users": {
                "type": "object",
                "additionalProperties": _ROLE,
                "propertyNames": _USER_NAME,
            },
        }
    ),
    "Kept": _object({"name": {"type": "string"}, "version": _VERSION, "rows": {"type": "integer"}}),
    "Dataset": _object(
        {
            "name": {"type": "string"},
            "columns": {"type": "array", "items": _object({"name": {"type": "string"}, "type": {"type": "string"}})},
            "rows": {"type": "integer"},
            "bytes": _COUNT,
            "version": _LISTED["version"],
            "owner": _NULL_TEXT,
            "order_by": {"type": "string", "description": "the column that whoever made it named"},
            "sealed": {"const": True, "description": "nothing is appended any more"},
        },
        ("order_by", "sealed"),
    ),
    "Appended": _object(
        {
            "version": _VERSION,
            "offset": {"type": "integer", "minimum": 0, "description": "the number of the first new row"},
            "rows": {"type": "integer", "minimum": 0},
            "durable": {"enum": ["fsync", "os"]},
        }
    ),
    "Sealed": _object({"name": {"type": "string"}, "version": _VERSION, "sealed": {"const": True}}),
    "Hash": _object({"hash": {"type": "string", "maxLength": 8_192}}),
    "View": _object({"id": {"type": "string"}, "url": {"type": "string", "format": "uri"}}),
    "Me": _object(
        {
            "user": _NULL_TEXT,
            "kind": {"enum": ["operator", "visitor", "user", "page", "anyone"]},
            "admin": {"type": "boolean"},
            "scopes": {"type": "array", "items": _SCOPE},
            "publish": {"type": "boolean"},
        }
    ),
    "User": _USER,
    "Users": _object({"users": {"type": "array", "items": _USER}}),
    "NewUser": _object(
        {"name": _USER_NAME, "admin": {"type": "boolean"}, "password": _NULL_TEXT}, ("admin", "password")
    ),
    "NewPassword": _object({"password": {"type": "string", "minLength": 8}}),
    "Nothing": _object({}),
    "Link": _object({"url": {"type": "string", "format": "uri"}}),
    "NewPageToken": _object(
        {
            "origin": {"type": "string", "description": "of the pages that may show it: https://www.example.org"},
            "seconds": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": MOST_SECONDS,
                "default": DEFAULT_SECONDS,
            },
        },
        ("seconds",),
    ),
    "PageToken": _object({"token": {"type": "string"}, "origin": {"type": "string"}, "expires": _TIME}),
    "NewToken": _object(
        {"scope": _SCOPE, "days": {"type": "number", "exclusiveMinimum": 0, "maximum": 36_500}}, ("days",)
    ),
    "Token": _object(
        {
            "id": {"type": "string"},
            "scope": _SCOPE,
            "created": _TIME,
            "expires": _TIME,
            "last_used": {"type": ["number", "null"]},
            "token": {"type": "string", "description": "the secret, told once"},
        },
        ("token",),
    ),
}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str) -> Schema:
    return {"application/json": {"schema": _ref(name)}}


def _query(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": words}


def _header(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "header", "schema": schema, "description": words}


_IF_MATCH: Final = _header(
    "If-Match", {"type": "string", "pattern": '^"?[0-9]{1,15}"?$'}, 'the version that is to be changed, in quotes: "3"'
)
_IF_NEW: Final = _header("If-None-Match", {"enum": ["*"]}, "*: only where there is nothing of that name")


def _page(*sorts: str) -> list[Schema]:
    return [
        _query("q", {"type": "string"}, "words that have to be in the name, the title or the owner"),
        _query("sort", {"enum": list(sorts), "default": sorts[0]}, "the newest first; the others go up"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LISTED}, "of one page"),
        _query("after", {"type": "string"}, "`next` of the page before"),
    ]


def _operation(
    summary: str,
    answers: dict[str, str | None],
    errors: str = "",
    *,
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
) -> Schema:
    """One method of a route; `answers` name the schema of each status (None: no body), `errors` further statuses."""
    responses: Schema = {
        status: {"description": "Done." if name is None else name, **({} if name is None else {"content": _json(name)})}
        for status, name in answers.items()
    }
    for status in sorted({"400", "401", "403", "404", "429", "503", *errors.split()}):
        responses[status] = {"description": _ERRORS[status], "content": _json("Error")}
    out: Schema = {"summary": summary, "responses": responses}
    if parameters:
        out["parameters"] = parameters
    if body is not None:
        out["requestBody"] = {"required": True, "content": body}
    return out


def _access(what: str) -> Schema:
    return {
        "get": _operation(f"Who may see a {what}, and do what.", {"200": "Access"}, "409"),
        "put": _operation(
            f"Let these users and no others see a {what}. The owner stays one.",
            {"200": "Access"},
            "409 413 507",
            body=_json("Access"),
        ),
    }


def _document_paths() -> dict[str, Schema]:
    picture = _operation("A picture of 480 x 300.", {})
    picture["responses"]["200"] = {"description": "A PNG.", "content": {"image/png": {}}}
    return {
        "/documents": {
            "get": _operation(
                "The documents that the caller may see.",
                {"200": "DocumentList"},
                parameters=_page("updated", "name", "title", "owner"),
            )
        },
        "/documents/{name}": {
            "get": _operation(
                "A document.",
                {"200": "Document"},
                parameters=[_query("version", {"type": "integer", "minimum": 1}, "one that is kept")],
            ),
            "put": _operation(
                "Publish a document. Content that equals the current version makes none.",
                {"200": "Published", "201": "Published"},
                "409 412 413 422 507",
                parameters=[_IF_MATCH, _IF_NEW],
                body=_json("Document"),
            ),
            "delete": _operation("Take a document away.", {"204": None}, "409 412 507", parameters=[_IF_MATCH]),
        },
        "/documents/{name}/versions": {
            "get": _operation("The versions that are kept, the newest first.", {"200": "Versions"}, "409")
        },
        "/documents/{name}/restore": {
            "post": _operation(
                "Make a new version that is as an old one was.",
                {"200": "Published"},
                "409 412 413 422 507",
                parameters=[_IF_MATCH],
                body=_json("Version"),
            )
        },
        "/documents/{name}/access": _access("document"),
        "/documents/{name}/embed": {
            "post": _operation(
                "A token with which pages of another origin may show a document.",
                {"201": "PageToken"},
                "409 413",
                body=_json("NewPageToken"),
            )
        },
        "/documents/{name}/thumbnail.png": {"get": picture},
    }


def _dataset_paths() -> dict[str, Schema]:
    rows: Schema = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FORMATS}
    bodies: Schema = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in BODIES}
    return {
        "/datasets": {
            "get": _operation(
                "The datasets that the caller may see.",
                {"200": "DatasetList"},
                parameters=_page("updated", "name", "owner"),
            )
        },
        "/datasets/{name}": {
            "get": _operation("What is known of a dataset.", {"200": "Dataset"}),
            "put": _operation(
                "Upload a table. On an existing name it needs If-Match.",
                {"200": "Kept", "201": "Kept"},
                "409 412 413 415 422 507",
                parameters=[
                    _IF_MATCH,
                    _IF_NEW,
                    _query("attached", {"enum": ["0", "1"]}, "1: it goes once no document names it"),
                    _query("order_by", {"type": "string"}, "the column that the rows are in order of"),
                ],
                body=rows,
            ),
            "delete": _operation(
                "Take a dataset away that no document shows.", {"204": None}, "409 412 507", parameters=[_IF_MATCH]
            ),
        },
        "/datasets/{name}/append": {
            "post": _operation(
                "Append rows: one body is one version. It is answered once the rows are durable.",
                {"200": "Appended"},
                "409 413 415 422 507",
                parameters=[
                    _header(
                        "Idempotency-Key",
                        {"type": "string", "minLength": 1, "maxLength": 257},
                        "a repeat gets the first answer, and appends nothing",
                    )
                ],
                body=bodies,
            )
        },
        "/datasets/{name}/seal": {
            "post": _operation("Let nothing more be appended.", {"200": "Sealed"}, "409 413 507")
        },
        "/datasets/{name}/access": _access("dataset"),
    }


def _other_paths() -> dict[str, Schema]:
    return {
        "/me": {"get": _operation("Who the caller is and may do.", {"200": "Me"})},
        "/tokens": {
            "get": _operation("The caller's tokens.", {"200": "Tokens"}, "409"),
            "post": _operation("A new token.", {"201": "Token"}, "409 413 507", body=_json("NewToken")),
        },
        "/tokens/{id}": {"delete": _operation("Take a token away.", {"204": None}, "409 507")},
        "/openapi.json": {"get": _operation("This.", {"200": "OpenApi"})},
        "/{name}/views": {
            "post": _operation(
                "Keep a view of a document under a short address.", {"201": "View"}, "409 413 507", body=_json("Hash")
            )
        },
    }


def _user_paths() -> dict[str, Schema]:
    return {
        "/users": {
            "get": _operation("The users, for admins.", {"200": "Users"}, "409"),
            "post": _operation("A new user.", {"201": "User"}, "409 413 507", body=_json("NewUser")),
        },
        "/users/{name}": {"delete": _operation("Take a user away; not oneself.", {"204": None}, "409 507")},
        "/users/{name}/password": {
            "put": _operation(
                "Another password, which ends the user's sessions.",
                {"204": None},
                "409 413 507",
                body=_json("NewPassword"),
            )
        },
        "/users/{name}/link": {
            "post": _operation(
                "An address that signs the user in, once and within 15 minutes.",
                {"201": "Link"},
                "409 413 507",
                body=_json("Nothing"),
            )
        },
        "/users/{name}/tokens": {
            "get": _operation("The user's tokens.", {"200": "Tokens"}, "409"),
            "post": _operation("A new token of the user's.", {"201": "Token"}, "409 413 507", body=_json("NewToken")),
        },
    }


def description(prefix: str = "") -> Schema:
    """The OpenAPI description of a server whose addresses begin with `prefix`."""
    paths = {**_document_paths(), **_dataset_paths(), **_other_paths(), **_user_paths()}
    for path, methods in paths.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        if names:
            methods["parameters"] = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
                for name in names
            ]
    paths["/{name}/views"]["servers"] = [{"url": prefix or "/"}]
    tokens = _object({"tokens": {"type": "array", "items": _ref("Token")}})
    return {
        "openapi": "3.1.0",
        "info": {"title": "bigviz", "version": __version__},
        "servers": [{"url": f"{prefix}/_/api"}],
        "paths": paths,
        "components": {
            "schemas": {**_SCHEMAS, "Tokens": tokens, "OpenApi": {"type": "object"}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


class OpenApi(Handler):
    """`openapi.json`."""

    need = Need.PUBLIC

    async def answer(self, *args: str) -> None:
        self.write_json(description(self.site.prefix))
        self.finish()
