"""`/healthz` and `/metrics`: answered on the loop's thread, without waiting for anything."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST

from bigviz.server.error_json import dump
from bigviz.server.http.base import Handler

__all__ = ["Health", "Metrics"]


class Health(Handler):
    """Liveness: 200 as soon as the server listens; `loaded` says whether the documents are open."""

    async def answer(self, *args: str) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        loaded = self.site.loaded is not None
        self.finish(
            dump(
                {
                    "ok": True,
                    "loaded": loaded,
                    "documents": len(self.site.documents.names),
                    "viewers": len(self.site.viewers),
                }
            )
        )


class Metrics(Handler):
    """Prometheus."""

    async def answer(self, *args: str) -> None:
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(self.site.metrics.text())
