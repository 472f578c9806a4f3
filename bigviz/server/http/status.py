"""`/healthz` and `/metrics`: answered on the loop's thread, without waiting for anything."""

from __future__ import annotations

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
        viewers = len(site.viewers) if site.others is None else site.others.viewers
        counts = {"documents": len(site.documents.names), "viewers": viewers} if self.principal.admin else {}
        self.write_json({"ok": True, "loaded": site.loaded is not None, **counts})
        self.finish()


class Metrics(Handler):
    """The server's metrics, in Prometheus' text format; those of several processes have a label each."""

    need = Need.CALLER

    async def answer(self, *args: str) -> None:
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        text, others = self.site.metrics.text(), self.site.others
        self.finish(text if others is None else await others.metrics(text))
