"""The event loop never computes: it answers while the largest things run. Nothing here waits by the clock."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

import bigviz as bv
from bigviz.common.progress import Progress
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.server.limits import Limits
from bigviz.tiles.engine import Engine

from ..patience import PATIENCE
from .running import Brought, Gated, running
from .wire import Browser


def test_healthz_answers_while_a_large_tile_and_a_large_build_run():
    """Four million rows; indexes are built and large pictures drawn while health is asked. Whatever computes does so on
    other threads: the loop's own takes a small part of the CPU time."""
    rng = np.random.default_rng(3)
    rows = 4_000_000
    table = pa.table({"x": rng.random(rows), "y": rng.random(rows), "z": rng.random(rows)})
    dataset = bv.open(table, name="many")
    with running([document(figure().points(dataset, "x", "y"), id="many")]) as server:
        server.await_event("built")
        over = threading.Event()
        failed: list[int] = []
        answered = 0
        image = "image.npy?x0=0.1&x1=0.9&y0=0.1&y1=0.9&width=1500&height=1500"

        def ask(path: str) -> None:
            while not failed:
                answer = server.get(f"/many/layers/0/{path}")
                if answer.status != 200:
                    failed.append(answer.status)
                if answered > 5:
                    break

        paths = [image, f"{image}&agg=mean(z)", "tiles/0/0/0.npy?y=z", "tiles/0/0/0.npy?x=z", f"{image}&x=z&agg=sum(y)"]
        threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
        watcher = threading.Thread(target=lambda: ([each.join() for each in threads], over.set()))
        for each in (*threads, watcher):
            each.start()
        loop, whole = server.on_loop(time.thread_time), time.process_time()
        while not over.is_set():
            assert server.get("/healthz").status == 200
            answered += 1
        watcher.join()
        loop, whole = server.on_loop(time.thread_time) - loop, time.process_time() - whole
        assert not failed
        assert loop < 0.5 * whole, (loop, whole, answered)


def test_everything_else_is_answered_while_every_worker_is_taken(documents):
    engine = Gated()
    with running(documents[:1], engine) as server, Browser(server.url, "points") as one:
        one.layer()
        engine.open.clear()
        one.ask([[3, 3, i, 3] for i in range(8)])
        engine.await_(lambda: len(engine.reached) >= 1)
        assert server.get("/points/").status == 200 and server.get("/metrics").status == 200
        with Browser(server.url, "points") as two:
            assert two.layer().value["rows"] == 100_000
        assert json.loads(server.get("/points/layers/0/tilejson.json").body)["index"] == "ready"
        engine.open.set()


def test_pages_are_served_before_the_documents_are_open(documents):
    opened = threading.Event()
    engine = Engine()

    def load(progress: Progress) -> Brought:
        assert opened.wait(PATIENCE)
        return Brought(documents[:1], engine)

    with running([], engine, ["points"], load=load) as server:
        assert json.loads(server.get("/healthz").body)["loaded"] is False
        assert server.get("/points/").status == 200 and b'href="points/"' in server.get("/").body
        assert server.get("/other/").status == 404 and server.get("/other/layers/0/tilejson.json").status == 404
        got: list = []
        asking = threading.Thread(target=lambda: got.append(server.get("/points/layers/0/tiles/0/0/0.npy").status))
        asking.start()
        opened.set()
        with Browser(server.url, "points") as browser:
            assert browser.document["id"] == "points"
        asking.join()
        assert got == [200]


def test_browsers_that_wait_are_told_how_far_files_are_read(documents):
    opened = threading.Event()
    engine = Engine()

    def load(progress: Progress) -> Brought:
        progress("reading sensor.csv", 0.45, 450)
        assert opened.wait(PATIENCE)
        return Brought(documents[:1], engine)

    with running([], engine, ["points"], load=load) as server, ThreadPoolExecutor(1) as pool:
        entering = pool.submit(Browser, server.url, "points")
        server.await_event("connected")
        opened.set()
        with entering.result(PATIENCE) as browser:
            (told,) = browser.before
            seconds = told.value.pop("seconds")
            assert told.value == {"stage": "reading sensor.csv", "done": 0.45, "rows": 450} and seconds >= 0
            assert (told.frame.request, told.frame.figure, told.frame.layer) == (0, 0, 0)


def test_a_client_that_leaves_takes_its_work_with_it(documents):
    engine = Gated()
    with running(documents[:1], engine) as server:
        server.await_event("built")
        engine.open.clear()

        async def ask_and_leave() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", server.server.port)
            host = f"Host: 127.0.0.1:{server.server.port}"
            writer.write(f"GET /points/layers/0/tiles/5/9/9.npy HTTP/1.1\r\n{host}\r\n\r\n".encode())
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, engine.await_, lambda: len(engine.reached) == 1)
            writer.close()
            await loop.run_in_executor(None, engine.await_, lambda: len(engine.cancelled) == 1)

        asyncio.run(ask_and_leave())
        assert server.get("/healthz").status == 200


def test_tilejson_does_not_wait_for_ever(documents):
    engine = Gated()
    engine.build_open.clear()
    with running(documents[:1], engine, limits=Limits(index_wait_seconds=0.1)) as server:
        engine.await_(lambda: engine.builds == 1)
        found = json.loads(server.get("/points/layers/0/tilejson.json").body)
        assert found["extent"] is None and found["range"] is None and found["rows"] == 100_000
        assert found["index"] in ("none", "building")
        engine.build_open.set()
        server.await_event("built")
        assert json.loads(server.get("/points/layers/0/tilejson.json").body)["index"] == "ready"


def test_too_many_requests_at_once_are_sent_away(documents):
    engine = Gated()
    with running(documents[:1], engine, limits=Limits(queued_requests=2)) as server:
        server.await_event("built")
        engine.open.clear()
        statuses: list[int] = []
        paths = [f"/points/layers/0/tiles/4/{i}/3.npy" for i in range(2)]
        threads = [threading.Thread(target=lambda p=path: statuses.append(server.get(p).status)) for path in paths]
        for each in threads:
            each.start()
        while server.on_loop(lambda: server.server.site.loaded._requests) < 2:
            pass
        answer = server.get("/points/layers/0/tiles/4/9/3.npy")
        assert answer.status == 503 and answer.headers["Retry-After"] == "1"
        engine.open.set()
        for each in threads:
            each.join()
        assert statuses == [200, 200]
