"""What viewers have selected, for the callbacks of apps: also where another process of the server keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from bigviz.apps.process.messages import MOST_BODY
from bigviz.common.errors import TooLarge
from bigviz.data.ipc_stream import ipc_stream
from bigviz.server.access.admission import admit
from bigviz.server.access.gate import Need
from bigviz.server.access.principal import Principal
from bigviz.server.jobs.usage import Usage

if TYPE_CHECKING:
    from bigviz.document.spec import Document
    from bigviz.server.apps.session import Page
    from bigviz.server.site import Site

__all__ = ["MOST_ROWS", "Selected", "answer_of", "principal_json", "principal_of", "selected_by", "selected_rows"]

MOST_ROWS: Final = 10_000_000
_FACTS, _ROWS = "selected", "rows"

Selected = Mapping[str, Any]
"""A selection by its `id`, its number of `rows`, and the `expression` that keeps them, or None."""


async def selected_by(site: Site, page: Page, id: str) -> Selected:
    """A selection that the viewer of a page has made. Raises NotFound."""
    question = {"what": _FACTS, "id": id, "name": page.name, "principals": [principal_json(page.principal)]}
    elsewhere = None if site.others is None else await site.others.ask_keeper(id, question)
    if elsewhere is not None:
        found: Selected = elsewhere[0]
        return found
    return await _facts(site, id, page.name, page.principal)


async def selected_rows(
    site: Site, pages: Sequence[Page], document: Document, usage: Usage, message: Mapping[str, Any]
) -> bytes:
    """Rows of a selection that the viewer of one of the pages made, or their numbers, as an Arrow stream."""
    name, callers = pages[0].name, [page.principal for page in pages]
    question = {"what": _ROWS, "name": name, "principals": list(map(principal_json, callers)), "message": dict(message)}
    elsewhere = None if site.others is None else await site.others.ask_keeper(message["selection"], question)
    return elsewhere[1] if elsewhere is not None else await _rows(site, name, callers, document, usage, message)


async def answer_of(site: Site, question: Mapping[str, Any]) -> tuple[Any, bytes]:
    """The answer to a question of another process: a JSON value, and bytes. Raises what the functions above do."""
    name, callers = str(question["name"]), list(map(principal_of, question["principals"]))
    for each in callers:
        await admit(site.people, Need.shown(), each, name)
    if question["what"] == _FACTS:
        return await _facts(site, question["id"], name, callers[0]), b""
    shown = [await site.show(name, each) for each in callers]
    usage = Usage.least(each.usage for each in shown)
    return None, await _rows(site, name, callers, shown[0].document, usage, question["message"])


async def _facts(site: Site, id: str, name: str, caller: Principal) -> Selected:
    kept = (await site.backend()).selections.kept.find(id, caller.share, name)
    return {"id": id, "rows": kept.count, "expression": kept.expression}


async def _rows(
    site: Site, name: str, callers: Sequence[Principal], document: Document, usage: Usage, message: Mapping[str, Any]
) -> bytes:
    jobs, id, limit = (await site.backend()).selections, message["selection"], message["limit"]
    who = next((each for each in callers if jobs.kept.is_of(id, each.share)), callers[0])
    count = jobs.kept.find(id, who.share, name).count
    if (count if limit is None else min(count, limit)) > MOST_ROWS:
        raise _too_many(count)
    if message["rows"]:
        most = count if limit is None else limit
        return ipc_stream(pa.table({"row": await jobs.numbers(who, name, document, id, most, usage)}))
    file, pieces = jobs.download(who, name, document, id, "arrow", message["columns"], limit, usage), list[bytes]()
    await jobs.find(who, file)
    while (piece := await jobs.piece(who, file)) is not None:
        pieces.append(piece)
        if sum(map(len, pieces)) > MOST_BODY:
            raise _too_many(count)
    return b"".join(pieces)


def _too_many(count: int) -> TooLarge:
    return TooLarge(f"{count:,} rows are more than a callback takes: give a limit or fewer columns.", "limit", count)


def principal_json(principal: Principal) -> dict[str, Any]:
    """Who asks, for another process of the server."""
    return asdict(principal) | {"scopes": sorted(principal.scopes)}


def principal_of(value: Mapping[str, Any]) -> Principal:
    """Who asks, as another process of the server says."""
    return Principal(**{**value, "scopes": frozenset(value["scopes"])})
