"""The engine of a server whose tables the workers of a Dask cluster hold."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import Final, cast

import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.progress import Progress, no_progress
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import is_divisible
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.answers.row_lookup import RowOrder, check_limit, first_names, named_rows
from bigviz.tiles.brush.linked import OtherBrush, Source, Target
from bigviz.tiles.cluster.brushes.cluster_brush import cluster_brush
from bigviz.tiles.cluster.cluster_layer import ClusterLayer
from bigviz.tiles.cluster.cluster_maker import ClusterMaker
from bigviz.tiles.cluster.held_rows import HeldRows
from bigviz.tiles.cluster.parts.moves import Moves
from bigviz.tiles.cluster.selections.part_rows import PartRows, first_of_parts, rows_in
from bigviz.tiles.cluster.workers import Moved, Workers
from bigviz.tiles.disk_indexes import IndexMode
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.window import Number
from bigviz.tiles.holders import Holders
from bigviz.tiles.interface import Brush, SampledLayer
from bigviz.tiles.readiness import Readiness
from bigviz.tiles.selection.first_rows import check_order
from bigviz.tiles.selection.region import Rectangle, Region
from bigviz.tiles.selection.selection import Selection, check_columns, described
from bigviz.tiles.store.catalog.directory import StoreDirectory

__all__ = ["DaskEngine"]

_log = logging.getLogger("bigviz")

_AT_ONCE: Final = 32  # the tiles of a view, which wait for workers together
_MOST_LAYERS: Final = 256  # on workers: they take hardly any memory here, but all are indexed again when one is lost


class DaskEngine(Engine):
    """See `bigviz.tiles.interface.Engine`. Tables of files are divided between workers; others, such as what is
    published to the server, are answered for by this process."""

    _maker: ClusterMaker

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
        super().__init__(
            cache_bytes,
            index_bytes=index_bytes,
            stores=stores,
            index=index,
            preview_rows=preview_rows,
            make=partial(ClusterMaker, workers, divides),
        )
        self.layers.store.bound(ClusterLayer, _MOST_LAYERS)
        self.workers, self._divides = workers, divides
        self._state = Lock()
        self._restoring = self._restores_again = self._closed = False
        workers.on_loss(self._restore)
        workers.on_join(self._restore)
        self._moves = Moves(workers, self._maker, self._replace)

    @property
    def at_once(self) -> int:
        return _AT_ONCE

    def close(self) -> None:
        """Leave the cluster, and end it if it was started for this server."""
        self._closed = True
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
        if not self._is_large(dataset):
            return None
        found, crew = self._built(dataset, layer), Crew(self._threads, cancel=cancel)
        if found is None:
            layer.check(dataset)
            if layer.glyph == "bar":
                return self._maker.bar_passes(dataset, layer.bound(dataset), crew)
            found = self._maker.prepared(dataset, layer.bound(dataset), crew)
        if layer.glyph == "bar":
            return None
        return HeldRows(found, dataset, layer.bound(dataset))

    def ensure(self, dataset: Dataset, layer: Layer, progress: Progress = no_progress, cancel: Cancel = NEVER) -> None:
        super().ensure(dataset, layer, progress, cancel)
        found = self._built(dataset, layer)
        if found is not None:
            found.restore(self._maker.disk.is_published(dataset.fingerprint, layer.bound(dataset)), progress, cancel)

    def brush(
        self, dataset: Dataset, source: Source, targets: Sequence[Target], others: Sequence[OtherBrush] = ()
    ) -> Brush:
        if self._divides(dataset):
            return cluster_brush(
                dataset, source, targets, others, self.workers, self._maker, self._threads, self._behind.columns
            )
        return super().brush(dataset, source, targets, others)

    def select(
        self,
        dataset: Dataset,
        layer: Layer,
        region: Region,
        stats: Sequence[str] = (),
        by: str | None = None,
        cancel: Cancel = NEVER,
    ) -> Selection:
        if not self._divides(dataset):
            return super().select(dataset, layer, region, stats, by, cancel)
        check_columns(dataset, stats, by)
        crew = Crew(self._threads, cancel=cancel)
        labels = () if by is None else self._maker.find_labels(dataset, [dataset.info(by).label_column], crew)

        def find(cancel: Cancel) -> PartRows:
            with self._parts_answering(dataset, layer, cancel) as built:
                return rows_in(built, dataset, region, labels, again, cancel)

        def again(cancel: Cancel) -> PartRows:
            while True:
                self.ensure(dataset, layer, cancel=cancel)
                with suppress(Moved):  # another worker may be lost meanwhile
                    return find(cancel)

        rows = find(cancel)
        return described(dataset, rows, stats, by, self.expression(dataset, layer.bound(dataset), region, cancel), crew)

    def expression(self, dataset: Dataset, layer: Layer, region: Region, cancel: Cancel = NEVER) -> str | None:
        if self._divides(dataset):  # the labels that it may need are those that workers have found
            columns = (layer.x, layer.y) if layer.y else (layer.x,)
            self._maker.find_labels(dataset, columns, Crew(self._threads, cancel=cancel))
        return super().expression(dataset, layer, region, cancel)

    def first_rows(
        self,
        dataset: Dataset,
        layer: Layer,
        x: tuple[Number, Number],
        y: tuple[Number, Number],
        order: RowOrder,
        limit: int = 1000,
        columns: Sequence[str] | None = None,
        cancel: Cancel = NEVER,
    ) -> pa.Table:
        if not self._divides(dataset):
            return super().first_rows(dataset, layer, x, y, order, limit, columns, cancel)
        check_order(dataset, order.column)
        check_limit(limit)
        region, names = Rectangle(x, y), first_names(layer, order, columns)
        labels = self._maker.find_labels(dataset, [order.column], Crew(self._threads, cancel=cancel))
        with self._parts_answering(dataset, layer, cancel) as built:
            numbers, matched = first_of_parts(built, region, order, labels, limit, cancel)
        return named_rows(dataset, names, numbers).replace_schema_metadata({"matched": str(matched)})

    def rehearse(self, dataset: Dataset, layers: Sequence[Layer], cancel: Cancel = NEVER) -> None:
        if not self._divides(dataset):
            super().rehearse(dataset, layers, cancel)

    @contextmanager
    def _parts_answering(self, dataset: Dataset, layer: Layer, cancel: Cancel) -> Iterator[ClusterLayer]:
        """A layer that workers answer for, for one answer."""
        with self.layers.answering(dataset, layer, cancel) as built:
            assert isinstance(built, ClusterLayer)
            yield built

    def _built(self, dataset: Dataset, layer: Layer) -> ClusterLayer | None:
        built = self.layers.find(dataset, layer)
        return built if isinstance(built, ClusterLayer) else None

    def _replace(self, layer: ClusterLayer, other: ClusterLayer) -> None:
        """Answer from a layer over other parts in place of one."""
        self._maker.replace(layer, other)
        self.layers.replace(cast(LayerAnswers, layer), cast(LayerAnswers, other))

    def _restore(self) -> None:
        """Have lost rows indexed again, whether somebody asks or not. One thread does so, however often workers come
        and go."""
        with self._state:
            begins, self._restores_again = not self._restoring, True
            self._restoring = True
        if begins:
            start_daemon("bigviz-restore", self._restore_lost)

    def _restore_lost(self) -> None:
        while self._is_to_restore() and not self._closed:
            try:
                self._maker.restore_all()
            except Exception:  # who asks for a layer has it restored, too
                if not self._closed:
                    _log.exception("rows of lost workers could not be indexed again")

    def _is_to_restore(self) -> bool:
        with self._state:
            self._restoring, self._restores_again = self._restores_again, False
            return self._restoring

    def _order_of_sums(self, dataset: Dataset, layer: Layer) -> tuple[str, ...]:
        if not self._divides(dataset):
            return super()._order_of_sums(dataset, layer)
        if not layer.reduction.traits.float_order:
            return ()
        found = self._built(dataset, layer)
        parts = self.workers.parts_of(dataset) if found is None else found.parts
        return "parts", *(str(part.first) for part in parts)
