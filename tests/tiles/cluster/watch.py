"""Viewers of a server whose table is on a cluster, who look at ever new places and compare what they are told is exact
with one process's answers."""

from __future__ import annotations

import io
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire.frames import Type

from ...patience import PATIENCE
from ...server.wire import Browser, Got, cells

LAYER = Layer("points", "x", "y")
_DEEPEST = 6
_PAUSE = 0.05  # seconds between views: a connection may send 64 requests a second


class Watch:
    """One viewer over HTTP and one on a websocket that is never opened again. `wrong` is what should not have come;
    `exact`, `estimates` and `refused` count the rest."""

    def __init__(self, url: str, document: str, dataset: Dataset) -> None:
        self.url, self.document, self.dataset = url, document, dataset
        self.alone = Engine(threads=1, index="never")
        self.wrong: list[str] = []
        self.exact = {"http": 0, "socket": 0}
        self.estimates = self.refused = 0
        self._ends = threading.Event()
        self._counted = threading.Condition()

    @contextmanager
    def looking(self) -> Iterator[Watch]:
        """Look until the block ends."""
        self.alone.ensure(self.dataset, LAYER)
        works = (self._fetch_images, self._view_tiles)
        threads = [threading.Thread(target=self._until_end, args=(each,), daemon=True) for each in works]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._ends.set()
            for thread in threads:
                thread.join(PATIENCE)

    def facts(self) -> dict[str, Any]:
        """TileJSON of the layer."""
        with urllib.request.urlopen(f"{self.url}{self.document}/layers/0/tilejson.json", timeout=PATIENCE) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def until_exact_again(self, workers: int) -> None:
        """Wait until so many workers hold all rows, and both viewers were answered exactly after that."""
        self.wait(lambda: self._is_held(workers))
        before = dict(self.exact)
        self.wait(lambda: all(self.exact[way] > before[way] + 1 for way in before))

    def wait(self, met: Callable[[], bool]) -> None:
        """Wait for what follows from answers. Raises AssertionError once one was wrong."""
        end = time.monotonic() + PATIENCE
        while not self.wrong and not met():  # which may wait for the server, and the viewers go on
            assert time.monotonic() < end, self.exact
            with self._counted:
                self._counted.wait(_PAUSE)
        assert not self.wrong, self.wrong

    def _is_held(self, workers: int) -> bool:
        with suppress(urllib.error.HTTPError):
            facts = self.facts()
            held = facts["workers"]
            return bool(
                held["holding"] == workers == held["known"]
                and held["rows_held"] == self.dataset.num_rows
                and facts["index"] == "ready"
            )
        return False

    def _until_end(self, look: Callable[[], None]) -> None:
        try:
            look()
        except Exception as error:
            if not self._ends.is_set():
                self._count(wrong=repr(error))

    def _count(self, wrong: str | None = None, exact: str | None = None, estimates: int = 0, refused: int = 0) -> None:
        with self._counted:
            if wrong is not None:
                self.wrong.append(wrong)
            if exact is not None:
                self.exact[exact] += 1
            self.estimates += estimates
            self.refused += refused
            self._counted.notify_all()

    def _fetch_images(self) -> None:
        rng = np.random.default_rng(1)
        while not self._ends.is_set():
            x0, y0 = rng.normal(size=2)
            x1, y1 = (x0, y0) + rng.random(2) + 0.1
            window = f"x0={x0}&x1={x1}&y0={y0}&y1={y1}&width=20&height=10"
            try:
                address = f"{self.url}{self.document}/layers/0/image.npy?{window}"
                with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
                    found = np.load(io.BytesIO(answer.read()))
            except urllib.error.HTTPError as error:
                with error:
                    if error.code != 503 or "Retry-After" not in error.headers:
                        self._count(wrong=f"{error.code}: {error.read()!r}")
                self._count(refused=1)
                self._ends.wait(_PAUSE)
                continue
            expected = self.alone.image(self.dataset, LAYER, x0, x1, y0, y1, 20, 10)[0]
            if np.array_equal(found, expected):
                self._count(exact="http")
            else:
                self._count(wrong=f"an image of {found.sum()} rows in place of {expected.sum()}")

    def _view_tiles(self) -> None:
        rng = np.random.default_rng(2)
        with Browser(self.url, self.document) as browser:
            while not self._ends.is_set():
                layer = self._known_layer(browser)
                while layer is not None and not self._ends.is_set():
                    layer = self._view(browser, layer, rng)

    def _known_layer(self, browser: Browser) -> Got | None:
        """What is known of the layer; None where nobody can say now."""
        request = browser.say(op="layer", figure=0, layer=0, definition=browser.definition())
        got = browser.until(lambda each: each.kind in (Type.LAYER, Type.ERROR) and each.frame.request == request)[-1]
        return got if got.kind == Type.LAYER else self._refused(got)

    def _view(self, browser: Browser, layer: Got, rng: np.random.Generator) -> Got | None:
        """Look at a few tiles; the newest that is known of the layer."""
        self._ends.wait(_PAUSE)
        levels = rng.integers(2, _DEEPEST, 3)
        places = [[int(z), int(z), *(int(each) for each in rng.integers(0, 1 << z, 2))] for z in levels]
        roots = {"roots": layer.value["root"]} if layer.value["provisional"] else {}
        definition = browser.definition()
        wanted = {"layer": 0, "definition": definition, "tiles": places, **roots}
        request = browser.say(op="view", figure=0, layers=[wanted])
        for got in browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR) and each.frame.request == request):
            if got.kind == Type.LAYER:
                layer = got
            elif got.kind == Type.TILE:
                self._compare(got.value)
            elif got.kind == Type.ERROR:
                return self._refused(got)
        return layer

    def _refused(self, got: Got) -> None:
        if got.value.get("status") != 503:
            self._count(wrong=f"refused: {got.value}")
        self._count(refused=1)
        self._ends.wait(_PAUSE)

    def _compare(self, tile: Any) -> None:
        found = cells(tile.planes[0])
        expected = self.alone.tile(self.dataset, LAYER, TileKey(tile.zx, tile.zy, tile.i, tile.j)).arrays()[0]
        if tile.estimate is None:
            if np.array_equal(found, expected):
                self._count(exact="socket")
            else:
                self._count(wrong=f"a tile of {found.sum()} rows in place of {expected.sum()}")
        elif 0 <= tile.estimate["share"] < 1 and (found <= expected).all():
            self._count(estimates=1)
        else:
            self._count(wrong=f"an estimate of {found.sum()} rows of {expected.sum()}: {tile.estimate}")
