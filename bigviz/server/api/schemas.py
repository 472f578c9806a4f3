"""The JSON that the routes below `/_/api` take and give, as JSON Schema."""

from __future__ import annotations

from typing import Any, Final

from bigviz.common.web.page_tokens import DEFAULT_SECONDS, MOST_SECONDS
from bigviz.library.access import ROLES
from bigviz.library.tokens import SCOPES

__all__ = ["SCHEMAS", "Schema", "object_of", "ref"]

Schema = dict[str, Any]

_NULL_TEXT: Final[Schema] = {"type": ["string", "null"]}
_COUNT: Final[Schema] = {"type": ["integer", "null"], "minimum": 0}
_VERSION: Final[Schema] = {"type": "integer", "minimum": 1}
_NUMBER: Final[Schema] = {"type": ["number", "string", "null"], "description": "times as decimal text, in nanoseconds"}
_STATISTICS: Final[Schema] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            **dict.fromkeys(("mean", "min", "max", "q25", "median", "q75"), _NUMBER),
        },
        "required": ["count", "mean", "min", "max", "q25", "median", "q75"],
        "additionalProperties": False,
    },
}
_TIME: Final[Schema] = {"type": "number", "description": "seconds since 1970-01-01 UTC"}
_ROLE: Final[Schema] = {"enum": list(ROLES)}
_SCOPE: Final[Schema] = {"enum": list(SCOPES)}


def ref(name: str) -> Schema:
    """A reference to one of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def object_of(properties: Schema, optional: tuple[str, ...] = ()) -> Schema:
    """An object of these keys and no others; those that are not `optional` are always there."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _listed(name: str, entry: Schema) -> Schema:
    return object_of({name: {"type": "array", "items": entry}, "next": _NULL_TEXT})


_USER_NAME: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$"}
_USER: Final = object_of(
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
SCHEMAS: Final[dict[str, Schema]] = {
    "Error": object_of(
        {
            "error": {"type": "string"},
            "field": _NULL_TEXT,
            "got": {},
            "at": {"type": "integer", "description": "of a filter: the character where it is wrong, from 0"},
            "version": {"type": ["integer", "null"], "description": "of a 412: the version that is there"},
        },
        ("at", "version"),
    ),
    "Document": {
        "type": "object",
        "description": "A document of format 1 or 2: docs/document.md, bigviz/document/schema.json.",
        "required": ["format"],
    },
    "DocumentList": _listed("documents", object_of({**_LISTED, "title": {"type": "string"}})),
    "DatasetList": _listed("datasets", object_of(_LISTED)),
    "Published": object_of(
        {"name": {"type": "string"}, "version": _VERSION, "url": {"type": "string", "format": "uri"}}
    ),
    "Versions": object_of(
        {
            "versions": {
                "type": "array",
                "items": object_of(
                    {"version": _VERSION, "author": _NULL_TEXT, "created": _TIME, "bytes": {"type": "integer"}}
                ),
            }
        }
    ),
    "Version": object_of({"version": _VERSION}),
    "Access": object_of(
        {
            "public": {"type": "boolean"},
            "users": {
                "type": "object",
                "additionalProperties": _ROLE,
                "propertyNames": _USER_NAME,
            },
        }
    ),
    "Kept": object_of({"name": {"type": "string"}, "version": _VERSION, "rows": {"type": "integer"}}),
    "Dataset": object_of(
        {
            "name": {"type": "string"},
            "columns": {"type": "array", "items": object_of({"name": {"type": "string"}, "type": {"type": "string"}})},
            "rows": {"type": "integer"},
            "bytes": _COUNT,
            "version": _LISTED["version"],
            "owner": _NULL_TEXT,
            "order_by": {"type": "string", "description": "the column that whoever made it named"},
            "sealed": {"const": True, "description": "nothing is appended any more"},
            "rollover_rows": {"type": "integer", "minimum": 1, "description": "the last so many are kept"},
            "rollover_bytes": {"type": "integer", "minimum": 1, "description": "of the appends that are kept"},
            "rollover_age": {"type": "number", "description": "seconds that rows are kept for"},
        },
        ("order_by", "sealed", "rollover_rows", "rollover_bytes", "rollover_age"),
    ),
    "Appended": object_of(
        {
            "version": _VERSION,
            "offset": {"type": "integer", "minimum": 0, "description": "the number of the first new row"},
            "rows": {"type": "integer", "minimum": 0},
            "durable": {"enum": ["fsync", "os"]},
        }
    ),
    "Patched": object_of(
        {"version": _VERSION, "rows": {"type": "integer", "minimum": 1}, "durable": {"enum": ["fsync", "os"]}}
    ),
    "Sealed": object_of({"name": {"type": "string"}, "version": _VERSION, "sealed": {"const": True}}),
    "Hash": object_of({"hash": {"type": "string", "maxLength": 8_192}}),
    "View": object_of({"id": {"type": "string"}, "url": {"type": "string", "format": "uri"}}),
    "Me": object_of(
        {
            "user": _NULL_TEXT,
            "kind": {"enum": ["operator", "visitor", "user", "page", "anyone"]},
            "admin": {"type": "boolean"},
            "scopes": {"type": "array", "items": _SCOPE},
            "publish": {"type": "boolean"},
        }
    ),
    "User": _USER,
    "Users": object_of({"users": {"type": "array", "items": _USER}}),
    "NewUser": object_of(
        {"name": _USER_NAME, "admin": {"type": "boolean"}, "password": _NULL_TEXT}, ("admin", "password")
    ),
    "NewPassword": object_of({"password": {"type": "string", "minLength": 8}}),
    "Nothing": object_of({}),
    "Link": object_of({"url": {"type": "string", "format": "uri"}}),
    "NewPageToken": object_of(
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
    "PageToken": object_of({"token": {"type": "string"}, "origin": {"type": "string"}, "expires": _TIME}),
    "NewToken": object_of(
        {"scope": _SCOPE, "days": {"type": "number", "exclusiveMinimum": 0, "maximum": 36_500}}, ("days",)
    ),
    "Token": object_of(
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
    "NewSelection": {
        "type": "object",
        "description": "One of box, lasso and range, in axis space; times as decimal text, in nanoseconds.",
        "properties": {
            "box": {"type": "array", "items": _NUMBER, "minItems": 4, "maxItems": 4, "description": "x0, y0, x1, y1"},
            "lasso": {"type": "array", "items": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}},
            "range": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2, "description": "x0, x1"},
            "stats": {"type": "array", "items": {"type": "string"}, "description": "columns"},
            "by": {**_NULL_TEXT, "description": "a column of categories"},
            "filter": _NULL_TEXT,
            "page": {"type": "string", "maxLength": 64, "description": "what a page calls itself"},
            "brushes": {"type": "array", "description": "that rest on linked figures"},
        },
        "additionalProperties": False,
    },
    "Selection": object_of(
        {
            "id": {"type": "string", "description": "for an hour, for whom it was made"},
            "rows": {"type": "integer", "minimum": 0},
            "stats": _STATISTICS,
            "by": {
                "type": ["object", "null"],
                "properties": {
                    "column": {"type": "string"},
                    "groups": {
                        "type": "array",
                        "items": object_of({"label": _NULL_TEXT, "rows": {"type": "integer"}, "stats": _STATISTICS}),
                    },
                },
            },
            "expression": {**_NULL_TEXT, "description": "a filter that keeps these rows, of a box or a range"},
            "version": _VERSION,
        }
    ),
    "SelectedRows": object_of(
        {
            "columns": {"type": "array", "items": object_of({"name": {"type": "string"}, "type": {"type": "string"}})},
            "rows": {"type": "array", "items": {"type": "array", "items": _NULL_TEXT}},
            "row": {"type": "array", "items": {"type": "integer"}, "description": "their numbers"},
            "total": {"type": "integer"},
            "offset": {"type": "integer"},
        }
    ),
    "LiveFigure": object_of({"value": {"type": ["number", "string", "null"]}, "version": {"type": "integer"}}),
    "ControlOptions": object_of(
        {"options": {"type": "array"}, "more": {"type": "boolean"}, "version": {"type": "integer"}}
    ),
    "TileJson": {"type": "object", "required": ["tilejson", "tiles", "extent", "rows", "version", "data_version"]},
}
