"""What callbacks of an app ask of the server's engine, with the rights of the viewer whose page it is; where several
share a session, what is answered may be shown to all: with the rights that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bigviz.apps.process.remote_selected import number_json
from bigviz.common.errors import Forbidden, TooLarge
from bigviz.data.columns.column import readable_names
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.data.filters.selected import Selected
from bigviz.data.ipc_stream import ipc_stream
from bigviz.server.access.admission import admit
from bigviz.server.access.gate import Need
from bigviz.server.apps.selected import MOST_ROWS, selected_rows
from bigviz.server.jobs.usage import Usage
from bigviz.server.open_datasets import dataset_of

if TYPE_CHECKING:
    from bigviz.common.cancel import Cancel
    from bigviz.server.apps.callbacks import Call
    from bigviz.server.site import Site

__all__ = ["answer"]


async def answer(site: Site, call: Call, message: Mapping[str, Any]) -> tuple[Any, bytes]:
    """The answer to a question that a call asks: a JSON value, and bytes. Raises Forbidden once the viewer is gone, or
    for what the viewer may not read, and what the question itself raises."""
    for each in list(call.session.pages):
        await each.look()
    pages = {page: page.shown for page in call.session.pages if page.shown is not None}
    if not pages:
        raise Forbidden("The viewer of this session is gone, and with it the right to read its data.")
    for each in list(pages):
        await admit(site.people, Need.shown(), each.principal, each.name)
    page = call.page if call.page in pages else next(iter(pages))
    document, usage = pages[page].document, Usage.least(shown.usage for shown in pages.values())
    if message["what"] == "selection":
        return None, await selected_rows(site, list(pages), document, usage, message)
    name, what, column = message["dataset"], message["what"], str(message.get("column") or "")
    dataset, expression = dataset_of(document, name), parse(message["filter"])
    taken: Sequence[str] = [column] if column else message.get("columns") or ()
    usage.check(name, [("filter", each) for each in expression.columns] + [("column", each) for each in taken])
    if what == "to_arrow":
        usage.check_rows(name)
        if message["columns"] is None:
            taken = usage.within(name, readable_names(dataset.columns()))

    def work(cancel: Cancel) -> tuple[Any, bytes]:
        with usage.discretion(name):
            selected = Selected(dataset, check(expression, dataset, usage.columns.get(name)), cancel)
            if what == "to_arrow":
                return None, ipc_stream(_rows(selected, message["limit"], list(taken)))
            found = selected.count() if what == "count" else getattr(selected, what)(column)
        if what in ("min", "max"):
            return None, ipc_stream(pa.table({"value": pa.array([found], dataset.info(column).type)}))
        if what != "count" and dataset.info(column).is_time:
            return None, ipc_stream(pa.table({"value": pa.array([found])}))
        return number_json(found), b""

    backend = await site.backend()
    key = ("app", dataset.fingerprint, dataset.version, str(expression), what, tuple(taken), message.get("limit"))
    return await backend.job(page.principal, key, work, heavy=True)


def _rows(selected: Selected, limit: int | None, columns: list[str]) -> pa.Table:
    most = MOST_ROWS + 1 if limit is None else limit
    if limit is not None and limit > MOST_ROWS:
        raise TooLarge(f"A callback takes at most {MOST_ROWS:,} rows: give a smaller limit.", "limit", limit)
    found = selected.to_arrow(most, columns)
    if found.num_rows > MOST_ROWS:
        raise TooLarge(f"A callback takes at most {MOST_ROWS:,} rows, and there are more: give a limit.", "limit")
    return found
