"""The engine of a server whose tables the workers of a Dask cluster hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NoReturn, cast

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import BARS
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.progress import Progress, no_progress
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.stretch import is_divisible
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.brush.linked import OtherBrush, Source, Target
from bigviz.tiles.brush.linked_brush import LinkedBrush
from bigviz.tiles.cluster.cluster_layer import ClusterLayer, refused
from bigviz.tiles.cluster.cluster_maker import ClusterMaker
from bigviz.tiles.cluster.held_rows import HeldRows
from bigviz.tiles.cluster.parts.moves import Moves
from bigviz.tiles.cluster.workers import Workers
from bigviz.tiles.engine import Engine
from bigviz.tiles.holders import Holders
from bigviz.tiles.interface import SampledLayer
from bigviz.tiles.layer_factory import IndexMode
from bigviz.tiles.readiness import Readiness
from bigviz.tiles.store.catalog.directory import StoreDirectory

__all__ = ["DaskEngine"]

_AT_ONCE: Final = 32  # the tiles of a view, which wait for workers together


class DaskEngine(Engine):
    """See `bigviz.tiles.interface.Engine`. Tables of files are divided between workers; others, such as what is
    published to the server, are answered for by this process."""

    def __init__(
        self,
        workers: Workers,
        cache_bytes: int = 512 << 20,
        index_bytes: int = 512 << 20,
        preview_rows: int = 1 << 21,
        divides: Callable[[Dataset], bool] = is_divisible,
        stores: StoreDirectory | None = None,
        index: IndexMode = "never",
    ) -> None:
        """Workers hold the tables that `divides` names, all of them such that they can (`is_divisible`).

        `cache_bytes` of tiles and answers are kept here, and `index_bytes` of the layers of tables that are not on
        workers, whose indexes are in `stores` as `index` says. Of tables of `preview_rows` or more it shows what some
        workers have until all have indexed theirs.
        """
        super().__init__(cache_bytes, index_bytes=index_bytes, stores=stores, index=index, preview_rows=preview_rows)
        here = self._maker
        self.workers, self._divides = workers, divides
        self._maker: ClusterMaker = ClusterMaker(
            workers, divides, self._threads, index_bytes, here.orders, stores, index, self._preview_rows
        )
        workers.on_loss(self._restore)
        self._moves = Moves(workers, self._maker, self._replace)

    @property
    def at_once(self) -> int:
        return _AT_ONCE

    def close(self) -> None:
        """Leave the cluster, and end it if it was started for this server."""
        self._moves.close()
        self.workers.close()

    def forget(self, dataset: Dataset) -> None:
        super().forget(dataset)
        if self._divides(dataset):
            self.workers.forget(dataset)

    def holders(self, dataset: Dataset, layer: Layer) -> Holders | None:
        if not self._divides(dataset):
            return None
        found = self._built(dataset, layer)
        return Holders(self.workers.known, 0, 0) if found is None else found.holders()

    def readiness(self, dataset: Dataset, layer: Layer) -> Readiness:
        found = self._built(dataset, layer)
        if found is not None and len(found.held_parts()) < len(found.parts):
            return "building"
        return super().readiness(dataset, layer)

    def preview(self, dataset: Dataset, layer: Layer, cancel: Cancel = NEVER) -> SampledLayer | None:
        """Estimates from the rows that are held already, until all are."""
        if not self._divides(dataset):
            return super().preview(dataset, layer, cancel)
        if layer.glyph in BARS or not self._is_large(dataset):
            return None
        found = self._built(dataset, layer)
        if found is None:
            layer.check(dataset)
            found = self._maker.prepared(dataset, layer.bound(dataset), Crew(self._threads, cancel=cancel))
        return HeldRows(found, dataset, layer.bound(dataset))

    def ensure(self, dataset: Dataset, layer: Layer, progress: Progress = no_progress, cancel: Cancel = NEVER) -> None:
        super().ensure(dataset, layer, progress, cancel)
        found = self._built(dataset, layer)
        if found is not None:
            found.restore(self._maker.is_published(dataset, layer.bound(dataset)), progress, cancel)

    def brush(
        self, dataset: Dataset, source: Source, targets: Sequence[Target], others: Sequence[OtherBrush] = ()
    ) -> LinkedBrush:
        if self._divides(dataset):
            _refuse("brushes")
        return super().brush(dataset, source, targets, others)

    def rehearse(self, dataset: Dataset, layers: Sequence[Layer], cancel: Cancel = NEVER) -> None:
        if not self._divides(dataset):
            super().rehearse(dataset, layers, cancel)

    def _built(self, dataset: Dataset, layer: Layer) -> ClusterLayer | None:
        built, _ = self._store.find(self._key(dataset, layer))
        return built if isinstance(built, ClusterLayer) else None

    def _replace(self, layer: ClusterLayer, other: ClusterLayer) -> None:
        """Answer from a layer over other parts in place of one."""
        self._maker.replace(layer, other)
        for key in self._store.keys_of(cast(LayerAnswers, layer)):
            self._store.put(key, cast(LayerAnswers, other))

    def _restore(self) -> None:
        """Have lost rows indexed again, whether somebody asks or not."""
        start_daemon("bigviz-restore", self._maker.restore_all)

    def _order_of_sums(self, dataset: Dataset, layer: Layer) -> tuple[str, ...]:
        if not self._divides(dataset):
            return super()._order_of_sums(dataset, layer)
        if not layer.reduction.traits.float_order:
            return ()
        found = self._built(dataset, layer)
        parts = self.workers.parts_of(dataset) if found is None else found.parts
        return "parts", *(str(part.first) for part in parts)


def _refuse(what: str) -> NoReturn:
    raise refused(what)
