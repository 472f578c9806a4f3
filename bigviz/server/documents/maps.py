"""Where the maps below a document's figures come from, as far as its page has to know before the document is opened."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bigviz.common.errors import BadInput, NotFound
from bigviz.document.basemap import map_origins
from bigviz.document.json import from_json

if TYPE_CHECKING:
    from bigviz.library.library import Library
    from bigviz.server.site import Site

__all__ = ["origins_of_maps"]


async def origins_of_maps(site: Site, name: str) -> tuple[str, ...]:
    """The origins of the tiles of a document's maps: none where the operator forbids maps, and none while the server
    still opens what it was started with, so a page that learns of others reloads itself."""
    if not site.basemaps:
        return ()
    document = site.documents.get(name)
    if document is not None:
        return map_origins(document)
    if site.has(name) or site.library is None:
        return ()
    return await site.threads.run(_stored, site.library, name)


def _stored(library: Library, name: str) -> tuple[str, ...]:
    """Of the current version; none where it is gone, or is no longer a document to this bigviz."""
    with suppress(NotFound, BadInput):
        value = library.documents.get(name).value
        return map_origins(from_json(value)) if _has_map(value.get("layout", {})) else ()
    return ()


def _has_map(node: Any) -> bool:
    """Whether a layout has a map: most have none, and are not read further."""
    if not isinstance(node, dict):
        return False
    return bool(node.get("basemap")) or any(_has_map(child) for child in node.get("children") or ())
