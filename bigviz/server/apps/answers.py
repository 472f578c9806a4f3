"""What callbacks of an app ask of the server's engine, with the rights of the viewer whose page it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from bigviz.apps.process.messages import MOST_BODY
from bigviz.apps.process.remote_selected import number_json
from bigviz.common.errors import Forbidden, TooLarge
from bigviz.data.columns.column import readable_names
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.data.filters.selected import Selected
from bigviz.data.ipc_stream import ipc_stream
from bigviz.server.access.admission import admit
from bigviz.server.access.gate import Need
from bigviz.server.open_datasets import dataset_of

if TYPE_CHECKING:
    from bigviz.common.cancel import Cancel
    from bigviz.server.apps.callbacks import Call
    from bigviz.server.apps.session import Page
    from bigviz.server.documents.opened import Shown
    from bigviz.server.site import Site

__all__ = ["answer"]

MOST_ROWS: Final = 10_000_000


async def answer(site: Site, call: Call, message: Mapping[str, Any]) -> tuple[Any, bytes]:
    """The answer to a question that a call asks: a JSON value, and bytes. Raises Forbidden once the viewer is gone, or
    for what the viewer may not read, and what the question itself raises."""
    page, shown = _asker(call)
    await admit(site.people, Need.shown(), page.principal, page.name)
    if message["what"] == "selection":
        return None, await _selected(site, page, shown, message)
    name, what, column = message["dataset"], message["what"], str(message.get("column") or "")
    expression = parse(message["filter"])
    columns = [("filter", each) for each in expression.columns]
    columns += [("column", each) for each in ([column] if column else message.get("columns") or ())]
    shown.usage.check(name, columns)
    if what == "to_arrow":
        shown.usage.check_rows(name)
    dataset = dataset_of(shown.document, name)

    def work(cancel: Cancel) -> tuple[Any, bytes]:
        selected = Selected(dataset, check(expression, dataset), cancel)
        if what == "to_arrow":
            wanted = message["columns"]
            if wanted is None:
                wanted = shown.usage.within(name, readable_names(dataset.columns()))
            return None, ipc_stream(_rows(selected, message["limit"], wanted))
        if what in ("min", "max"):
            found = getattr(selected, what)(column)
            return None, ipc_stream(pa.table({"value": pa.array([found], dataset.info(column).type)}))
        return number_json(selected.count() if what == "count" else getattr(selected, what)(column)), b""

    backend = await site.backend()
    key = ("app", dataset.fingerprint, dataset.version, str(expression), what, column, str(message.get("columns")),
           message.get("limit"))  # fmt: skip
    return await backend.job(page.principal, key, work, heavy=True)


async def _selected(site: Site, page: Page, shown: Shown, message: Mapping[str, Any]) -> bytes:
    """Rows of a selection, or their numbers, as an Arrow stream."""
    jobs, id = (await site.backend()).selections, message["selection"]
    who, limit = page.principal, message["limit"]
    count = jobs.kept.find(id, who.share, page.name).count
    if (count if limit is None else min(count, limit)) > MOST_ROWS:
        raise _too_many(count)
    if message["rows"]:
        most = count if limit is None else limit
        numbers = await jobs.numbers(who, page.name, shown.document, id, most, shown.usage)
        return ipc_stream(pa.table({"row": numbers}))
    wanted = (page.name, shown.document, id, "arrow", message["columns"], limit, shown.usage)
    file, pieces = jobs.download(who, *wanted), list[bytes]()
    await jobs.find(who, file)
    while (piece := await jobs.piece(who, file)) is not None:
        pieces.append(piece)
        if sum(map(len, pieces)) > MOST_BODY:
            raise _too_many(count)
    return b"".join(pieces)


def _too_many(count: int) -> TooLarge:
    return TooLarge(f"{count:,} rows are more than a callback takes: give a limit or fewer columns.", "limit", count)


def _asker(call: Call) -> tuple[Page, Shown]:
    """The page with whose rights a call asks."""
    page = call.page if call.page in call.session.pages else next(iter(call.session.pages), None)
    if page is None or page.shown is None:
        raise Forbidden("The viewer of this session is gone, and with it the right to read its data.")
    return page, page.shown


def _rows(selected: Selected, limit: int | None, columns: list[str]) -> pa.Table:
    most = MOST_ROWS + 1 if limit is None else limit
    if limit is not None and limit > MOST_ROWS:
        raise TooLarge(f"A callback takes at most {MOST_ROWS:,} rows: give a smaller limit.", "limit", limit)
    found = selected.to_arrow(most, columns)
    if found.num_rows > MOST_ROWS:
        raise TooLarge(f"A callback takes at most {MOST_ROWS:,} rows, and there are more: give a limit.", "limit")
    return found
