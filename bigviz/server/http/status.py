"""`/healthz` and `/metrics`: answered on the loop's thread, without waiting for anything."""

from __future__ import annotations

import asyncio

from prometheus_client import CONTENT_TYPE_LATEST

from bigviz.server.access.gate import Need
from bigviz.server.http.base import Handler

__all__ = ["Health", "Metrics"]


class Health(Handler):
    """Liveness: 200 as soon as the server listens; `loaded` says whether the documents are open. Admins
    are told how many documents and viewers there are."""

    need = Need.PUBLIC

    async def answer(self, *args: str) -> None:
        self.set_header("Cache-Control", "no-store")
        site = self.site
        counts = {"documents": len(site.documents.names), "viewers": len(site.viewers)} if self.principal.admin else {}
        self.write_json({"ok": True, "loaded": site.loaded is not None, **counts})
        self.finish()


class Metrics(Handler):
    """The server's metrics, in Prometheus' text format."""

    need = Need.CALLER

    async def answer(self, *args: str) -> None:
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.site.metrics.tasks.set(len(asyncio.all_tasks()))
        self.finish(self.site.metrics.text())
