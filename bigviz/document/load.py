"""`bigviz.load`: a document from JSON text, a file of it, or the values themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.open import open as open_dataset
from bigviz.document.bind import bind
from bigviz.document.json import from_json
from bigviz.document.json_values import parse_json
from bigviz.document.spec import Document

__all__ = ["load"]


def load(
    source: str | os.PathLike[str] | Mapping[str, Any], *, sources: Mapping[str, object] | None = None
) -> Document:
    """Read a document from its JSON: a text that begins with a brace, the path of a file, or a dict.

    `bv.load(json.dumps(plot.to_json()))` equals `plot`. Documents of format 1 are read too; a newer format than this
    bigviz knows is refused with its number. The document's datasets are names, for the server that it is published to,
    unless `sources` gives a table, or whatever `bv.open` takes, for each. Raises BadInput with the place of a mistake,
    NotFound or Unreadable.
    """
    value = dict(source) if isinstance(source, Mapping) else parse_json(_read(source))
    document = from_json(value)
    if sources is None:
        return document
    if not isinstance(sources, Mapping):
        raise BadInput(f"sources is a mapping of names to tables, got {echoed(sources)}.", "sources")
    return bind(document, {name: open_dataset(table) for name, table in sources.items()})


def _read(source: str | os.PathLike[str]) -> str | bytes:
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return source
    if not isinstance(source, str | os.PathLike):
        raise BadInput(f"A document is loaded from JSON text, a path or a dict, got {type(source).__name__}.", "source")
    try:
        with open(source, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        shown = echoed(os.fspath(source))
        raise NotFound(f"There is no file {shown}. A document's JSON begins with a brace.", "source", shown) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise Unreadable(f"{os.fspath(source)} cannot be read: {reason}.", "source") from error
