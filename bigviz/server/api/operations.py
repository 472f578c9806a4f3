"""The parts of which descriptions of routes are made, as OpenAPI has them."""

from __future__ import annotations

from typing import Final

from bigviz.server.api.schemas import Schema, ref

__all__ = ["header", "json_of", "operation", "query"]

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


def json_of(name: str) -> Schema:
    """A body of JSON, of a schema of `SCHEMAS`."""
    return {"application/json": {"schema": ref(name)}}


def query(name: str, schema: Schema, words: str) -> Schema:
    """A parameter of the query."""
    return {"name": name, "in": "query", "schema": schema, "description": words}


def header(name: str, schema: Schema, words: str) -> Schema:
    """A header of the request."""
    return {"name": name, "in": "header", "schema": schema, "description": words}


def operation(
    summary: str,
    answers: dict[str, str | None],
    errors: str = "",
    *,
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
) -> Schema:
    """One method of a route; `answers` name the schema of each status (None: no body), `errors` further statuses."""
    responses: Schema = {
        status: {"description": "Done."} if name is None else {"description": name, "content": json_of(name)}
        for status, name in answers.items()
    }
    for status in sorted({"400", "401", "403", "404", "429", "503", *errors.split()}):
        responses[status] = {"description": _ERRORS[status], "content": json_of("Error")}
    out: Schema = {"summary": summary, "responses": responses}
    if parameters:
        out["parameters"] = parameters
    if body is not None:
        out["requestBody"] = {"required": True, "content": body}
    return out
