"""What `/metrics` shows, in a registry of this server's own (several servers may run in one process)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Metrics"]

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """Counters and histograms. Labels are routes and kinds, never names of documents, columns or clients."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, registry=self.registry, namespace="bigviz")
        gauge = partial(Gauge, registry=self.registry, namespace="bigviz")
        histogram = partial(Histogram, registry=self.registry, namespace="bigviz", buckets=_SECONDS)
        self.requests = counter("http_requests", "HTTP answers", ["route", "status"])
        self.seconds = histogram("http_seconds", "From request to answer", ["route"])
        self.messages = counter("websocket_messages", "Messages from browsers", ["op"])
        self.sent = counter("websocket_sent_bytes", "Bytes handed to sockets")
        self.closed = counter("websocket_closed", "Connections that the server closed", ["code"])
        self.updates = counter("updates", "New versions of data that browsers were sent")
        self.update_seconds = histogram("update_seconds", "From an append until browsers were sent what it changes")
        self.tiles = counter("tiles", "Tiles sent, computed from rows or kept", ["source"])
        self.queue = histogram("queue_seconds", "From request to start of the kernel")
        self.kernel = histogram("kernel_seconds", "In the kernel, per tile or line")
        self.rows = counter("rows_read", "Rows that kernels read for answers")
        self.viewers = gauge("viewers", "Browsers connected")
        self.tasks = gauge("tasks", "Tasks of the event loop")
        self.waiting = gauge("jobs_waiting", "Jobs that have not started")
        self.running = gauge("jobs_running", "Jobs that run")
        self.builds = gauge("builds_running", "Indexes being built")
        self.memory = gauge("memory_bytes", "Bytes of data, indexes, tiles and answers that are kept", ["what"])
        self.refresh: Callable[[], None] | None = None
        # To look these up for each answer takes as long as to count it.
        self._routes: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, route: str, status: int, seconds: float) -> None:
        """An HTTP request was answered."""
        found = self._routes.get((route, status))
        if found is None:
            found = self._routes[route, status] = self.requests.labels(route, str(status)), self.seconds.labels(route)
        count, times = found
        count.inc()
        times.observe(seconds)

    def text(self) -> bytes:
        """The exposition format of Prometheus. Called on the event loop."""
        self.tasks.set(len(asyncio.all_tasks()))
        if self.refresh is not None:
            self.refresh()
        return generate_latest(self.registry)
