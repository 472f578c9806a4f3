"""The jobs behind a view: each a key that equal wants share, and the work, whose value is a `Prepared`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import asdict
from typing import TYPE_CHECKING

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import BARS
from bigviz.common.cancel import Cancel
from bigviz.data.dataset import Dataset
from bigviz.server.jobs import window_jobs
from bigviz.server.jobs.encoded import Prepared, bars_message, columns_message, estimate_message, tile_message
from bigviz.server.jobs.kept_answers import KeptAnswers
from bigviz.server.jobs.kept_views import KeptViews
from bigviz.server.jobs.layer_ref import times_of
from bigviz.server.jobs.wanted import ColumnsWant, TileWant, Wanted, WindowWant
from bigviz.server.request_values import Number, interval
from bigviz.tiles.interface import Cost, Engine, SampledLayer, TileKey

if TYPE_CHECKING:
    from bigviz.tiles.interface import Columns

__all__ = ["Job", "ViewJobs", "ends_of_columns"]

Job = tuple[Hashable, Callable[[Cancel], Prepared | None]]


class ViewJobs:
    """Makes jobs; they run in the runner's threads. Raises BadInput for a window whose ends are not valid."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.kept = KeptAnswers()
        self.kept_views = KeptViews()

    def exact(self, dataset: Dataset, layer: Layer, want: Wanted, has_rows: bool = True) -> Job:
        """The exact answer; of a window None where its tiles are the answer, as they are too where the caller may not
        read rows."""
        match want:
            case TileWant():
                return self._tile(dataset, layer, want)
            case WindowWant():
                return self._window(dataset, layer, want, has_rows)
            case ColumnsWant():
                return self._columns(dataset, layer, want)

    def estimate(self, dataset: Dataset, layer: Layer, want: TileWant | ColumnsWant, sampled: SampledLayer) -> Job:
        """An estimate from a sample as it is now."""
        name = (dataset.fingerprint, dataset.version, layer, sampled.generation)
        if isinstance(want, ColumnsWant):
            window = ends_of_columns(dataset, layer, want)

            def columns(cancel: Cancel) -> Prepared:
                if layer.glyph in BARS:
                    bars, estimate = sampled.bars(*window, cancel)
                    return bars_message(bars, window, want.width, asdict(estimate))
                found, estimate = sampled.columns(*window, want.width, cancel)
                return columns_message(found, window, want.width, asdict(estimate))

            return (*name, ("columns", *window, want.width)), columns
        key = TileKey(*want.place)

        def tile(cancel: Cancel) -> Prepared:
            return estimate_message(key, *sampled.tile(key, cancel))

        return (*name, ("estimate", want.place)), tile

    def rough(self, dataset: Dataset, layer: Layer, want: TileWant) -> Job:
        """An estimate from ordered rows; None where the exact tile comes as soon."""
        key = TileKey(*want.place)

        def call(cancel: Cancel) -> Prepared | None:
            found = self._engine.estimate(dataset, layer, key, cancel)
            return None if found is None else estimate_message(key, *found)

        return (dataset.fingerprint, dataset.version, layer, ("rough", want.place)), call

    def _tile(self, dataset: Dataset, layer: Layer, want: TileWant) -> Job:
        key = TileKey(*want.place)
        name = (dataset.fingerprint, dataset.version, layer, ("frame", want.place))

        def call(cancel: Cancel) -> Prepared | None:
            kept = self.kept.get(name)  # made while this job waited for its browser to catch up
            if kept is not None:
                return kept.value  # type: ignore[no-any-return]
            tile = self._engine.tile(dataset, layer, key, cancel)
            message = tile_message(tile)
            self.kept.put(name, message, Cost(bytes=sum(len(plane.payload) for plane in tile.planes)))
            return message

        return name, call

    def _window(self, dataset: Dataset, layer: Layer, want: WindowWant, has_rows: bool) -> Job:
        x, y = window_jobs.ends_of(dataset, layer, want)
        answer = window_jobs.answer if has_rows else window_jobs.picture
        name = (*window_jobs.key_of(dataset, layer, x, y, want), has_rows)

        def call(cancel: Cancel) -> Prepared | None:
            found = answer(self._engine, dataset, layer, x, y, (want.width, want.height), cancel)
            message = None if found is None else Prepared(*found)
            self._keep(name, message)
            return message

        return name, call

    def _columns(self, dataset: Dataset, layer: Layer, want: ColumnsWant) -> Job:
        window = ends_of_columns(dataset, layer, want)
        name = (dataset.fingerprint, dataset.version, layer, ("columns", *window, want.width))

        def call(cancel: Cancel) -> Prepared:
            if layer.glyph in BARS:
                message = bars_message(self._engine.bars(dataset, layer, *window, cancel), window, want.width)
            else:
                found: Columns = self._engine.columns(dataset, layer, *window, want.width, cancel)
                message = columns_message(found, window, want.width)
            self._keep(name, message)
            return message

        return name, call

    def _keep(self, name: Hashable, message: Prepared | None) -> None:
        """Keep an answer that is no tile: to get it again costs a look at its bytes."""
        size = 0 if message is None else sum(len(part.body) for part in message.parts)
        self.kept.put(name, message, Cost(bytes=size))


def ends_of_columns(dataset: Dataset, layer: Layer, want: ColumnsWant) -> tuple[Number, Number]:
    """The window of x."""
    return interval({"x0": want.x0, "x1": want.x1}.get, "x0", "x1", time=times_of(dataset, layer)[0])
