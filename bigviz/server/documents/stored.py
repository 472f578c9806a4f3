"""A document as JSON, with a tag that changes when it does."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from bigviz.common.errors import Conflict, NotFound
from bigviz.server.error_json import dump

if TYPE_CHECKING:
    from bigviz.library.items import Kind
    from bigviz.server.site import Site

__all__ = ["document_json", "require_free"]


async def document_json(site: Site, name: str, version: int | None = None) -> tuple[str, dict[str, Any]]:
    """The JSON of a document and its ETag, which is the version of one in the library. `version` is one that is kept
    (None: the current one). Raises NotFound."""
    if not site.given("document", name) and site.library is not None:
        stored = await site.threads.run(site.library.documents.get, name, version)
        return str(stored.version), stored.value
    document = await site.document(name)
    if version is not None:
        raise NotFound(f"{name[:100]!r} has no versions: the server was started with it.", "version", version)
    value = document.to_json()
    return hashlib.blake2b(dump(value), digest_size=16).hexdigest(), value


def require_free(site: Site, kind: Kind, name: str) -> None:
    """Conflict for the name of something that the server was started with: it has no versions, and no roles."""
    if site.given(kind, name):
        shown = name[:100]
        raise Conflict(
            f"The server was started with the {kind} {shown!r}: its command line says what it is and who may see it. "
            "Choose another name to publish under.",
            "name",
            shown,
        )
