"""What pages that follow are sent of a layer: made once for all, and the same as a view of the new version."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.server.jobs.push_jobs import Pushed
from bigviz.server.jobs.service import Backend
from bigviz.server.jobs.wanted import ColumnsWant, Held, WindowWant
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.server.streams.past import Past
from bigviz.tiles.engine import Engine
from bigviz.wire.frames import Type

from ...growing import Growing
from ...patience import PATIENCE

POINTS, LINE = Layer("points", "x", "y", "count"), Layer("line", "x", "y", "any")
TILES = Held(tiles=((1, 1, 0, 0), (1, 1, 1, 0), (1, 1, 0, 1), (1, 1, 1, 1)))
COLUMNS = Held(columns=ColumnsWant(0.0, 1_000.0, 300))


class Counting(Engine):
    """Counts what is computed."""

    def __init__(self) -> None:
        super().__init__(1 << 24, threads=1)
        self.calls: Counter[str] = Counter()

    def tile(self, *arguments: Any) -> Any:
        self.calls["tile"] += 1
        return super().tile(*arguments)

    def columns(self, *arguments: Any) -> Any:
        self.calls["columns"] += 1
        return super().columns(*arguments)


def table(first: int, count: int) -> pa.Table:
    """Rows at ascending x; the first ones have two more, in the corners of the root."""
    x = np.arange(first, first + count, dtype=float)
    corners = [] if first else [0.0, 1_000.0]
    return pa.table({"x": np.append(x, corners), "y": np.append(x % 500, corners)})


def pushing(test: Callable[[Backend, Counting, Growing], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        engine = Counting()
        backend = Backend(engine, Limits(), Metrics())
        try:
            await asyncio.wait_for(test(backend, engine, Growing(table(0, 300))), PATIENCE)
        finally:
            backend.close()

    asyncio.run(run())


async def known(backend: Backend, dataset: Dataset, layer: Layer) -> Dataset:
    """A dataset whose layer a page was told of."""
    async for each in backend.builds.follow(dataset, layer, lambda report: None):
        backend.pushes.learn(dataset, layer, each)
    return dataset


@pytest.mark.parametrize(("layer", "held", "kind"), [(POINTS, TILES, "tile"), (LINE, COLUMNS, "columns")])
def test_viewers_of_the_same_share_what_is_made(layer: Layer, held: Held, kind: str):
    async def test(backend: Backend, engine: Counting, grown: Growing) -> None:
        before = await known(backend, grown.version(), layer)
        after = grown.append(table(300, 10)).version()
        made = await asyncio.gather(
            *(backend.pushes.layer(Past.of(before), after, layer, held, True) for _ in range(20))
        )
        assert len({id(each) for each in made}) == 1 and isinstance(made[0], Pushed)
        assert engine.calls[kind] == len(made[0].messages) > 0
        again = await backend.pushes.layer(Past.of(before), after, layer, held, True)
        assert again is made[0]
        assert made[0].facts["rows"] == grown.table.num_rows and made[0].facts["version"] == after.version

    pushing(test)


def test_tiles_that_no_new_row_touches_are_not_sent():
    async def test(backend: Backend, engine: Counting, grown: Growing) -> None:
        grown.append(table(300, 10))
        before = await known(backend, grown.version(), POINTS)
        after = grown.append(pa.table({"x": [10.0, 12.0], "y": [5.0, 7.0]})).version()
        pushed = await backend.pushes.layer(Past.of(before), after, POINTS, TILES, True)
        assert pushed is not None and pushed.changed == ((1, 1, 0, 1),)
        assert [each.kind for each in pushed.messages] == [Type.TILE]

    pushing(test)


def test_tiles_where_nothing_was_dropped_or_corrected_are_not_sent():
    """Rows are at x 0 to 299, and tiles of x 0 to 255, 256 to 511 and so on."""
    places = tuple((2, 0, i, 0) for i in range(4))

    async def test(backend: Backend, engine: Counting, grown: Growing) -> None:
        before = await known(backend, grown.version(), POINTS)
        late = grown.append(pa.table({"x": [300.0], "y": [5.0]})).roll(40).version()
        corrected = grown.correct([270], pa.table({"x": [700.0], "y": [7.0]})).version()
        for after, changed in ((late, (0, 1)), (corrected, (1, 2))):
            expected = tuple(places[at] for at in changed)
            pushed = await backend.pushes.layer(Past.of(before), after, POINTS, Held(places, kept=places), True)
            assert pushed is not None and set(pushed.changed) == set(expected)
            assert [each.kind for each in pushed.messages] == [Type.TILE] * 2
            before = after
        assert engine.calls["tile"] == 4

    pushing(test)


def test_a_window_gets_its_rows_only_where_they_have_changed():
    async def test(backend: Backend, engine: Counting, grown: Growing) -> None:
        grown.append(table(300, 10))
        before = await known(backend, grown.version(), POINTS)
        after = grown.append(pa.table({"x": [10.0, 12.0], "y": [5.0, 7.0]})).version()
        for place, kinds in (((1, 1, 0, 1), [Type.ROWS]), ((1, 1, 1, 0), [])):
            held = Held((place,), window=WindowWant((0.0, 300.0, 0.0, 300.0), 200, 200))
            pushed = await backend.pushes.layer(Past.of(before), after, POINTS, held, True)
            assert pushed is not None and pushed.rows and [each.kind for each in pushed.messages] == kinds

    pushing(test)


@pytest.mark.parametrize("agg", ["count", "by(kind, count)"])
def test_another_root_or_label_has_to_be_asked_for_anew(agg: str):
    async def test(backend: Backend, engine: Counting, grown: Growing) -> None:
        layer = Layer("points", "x", "y", agg)
        labelled = Growing(pa.table({"x": [0.0, 9.0], "y": [0.0, 9.0], "kind": ["a", "b"]}))
        before = await known(backend, labelled.version(), layer)
        far = 1e6 if agg == "count" else 5.0
        after = labelled.append(pa.table({"x": [far], "y": [5.0], "kind": ["c"]})).version()
        assert await backend.pushes.layer(Past.of(before), after, layer, TILES, True) is None
        assert await backend.pushes.layer(None, after, layer, TILES, True) is None
        other = Growing(grown.table).version()
        assert await backend.pushes.layer(Past.of(other), after, layer, TILES, True) is None, "nobody was told of it"

    pushing(test)
