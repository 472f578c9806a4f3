"""`/_/api/openapi.json`: the routes below `/_/api`, described for programs."""

from __future__ import annotations

from typing import Final

from bigviz import __version__
from bigviz.library.listing import MOST
from bigviz.server.access.gate import Need
from bigviz.server.api.appending import BODIES
from bigviz.server.api.base import LISTED
from bigviz.server.api.datasets import FORMATS
from bigviz.server.api.schemas import SCHEMAS, Schema, object_of, ref
from bigviz.server.http.base import Handler

__all__ = ["OpenApi", "description"]

_ERRORS: Final = {
    "400": "The request is not well formed.",
    "401": "The caller has to sign in, or the token is wrong or has expired.",
    "403": "The caller may see this, but not do it.",
    "404": "There is no such thing, or the caller may not know of it.",
    "409": "What is there does not allow it.",
    "410": "What was to be gone on from is not kept any more.",
    "412": "Another version is there than the client expects.",
    "413": "The body is beyond a limit.",
    "415": "The body is of a content type that is not read.",
    "422": "The data is damaged, or not what the document needs.",
    "429": "The caller asks too often: Retry-After says when to come again.",
    "503": "The server has too much to do: Retry-After says when to come again.",
    "507": "The library's disk is full, or the owner may keep no more.",
}


def _json(name: str) -> Schema:
    return {"application/json": {"schema": ref(name)}}


def _query(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": words}


def _header(name: str, schema: Schema, words: str) -> Schema:
    return {"name": name, "in": "header", "schema": schema, "description": words}


_IF_MATCH: Final = _header(
    "If-Match", {"type": "string", "pattern": '^"?[0-9]{1,15}"?$'}, 'the version that is to be changed, in quotes: "3"'
)
_IF_NEW: Final = _header("If-None-Match", {"enum": ["*"]}, "*: only where there is nothing of that name")


_KEY: Final = _header(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 257},
    "a repeat gets the first answer, and changes nothing",
)
_LIMIT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 1 << 53}
_AGE: Final[Schema] = {"type": "number", "minimum": 0.001, "maximum": 1e9}


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
    batches = _operation(
        "What is appended, as an Arrow IPC stream that goes on until the dataset is sealed.",
        {},
        "409 410",
        parameters=[_query("after", {"type": "integer", "minimum": 0}, "a version; by default, the one that is there")],
    )
    stream = {next(iter(BODIES)): {"schema": {"type": "string", "format": "binary"}}}
    batches["responses"]["200"] = {"description": "Batches, with version and offset.", "content": stream}
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
                    _query("order_by", {"type": "string"}, "the column that the rows are in order of, for people"),
                    _query("rollover_rows", _LIMIT, "only the last so many rows are kept"),
                    _query("rollover_bytes", _LIMIT, "only those of the last appends that take no more bytes"),
                    _query("rollover_age", _AGE, "only those that came in the last so many seconds"),
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
                parameters=[_KEY],
                body=bodies,
            )
        },
        "/datasets/{name}/patch": {
            "post": _operation(
                "Give rows other values: those that the column _row numbers, or that the column `key` has keys of.",
                {"200": "Patched"},
                "409 413 415 422 507",
                parameters=[_KEY, _query("key", {"type": "string"}, "the column that says which rows are meant")],
                body=stream,
            )
        },
        "/datasets/{name}/batches": {"get": batches},
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
        self.write_json(description(self.site.prefix))
        self.finish()
