"""`bigviz index`: index one layer of a table on disk, with progress bars; Ctrl-C loses nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.filesize import decimal

from bigviz.aggregate.layer import Layer
from bigviz.commands.interruptible import INTERRUPTED, interruptible
from bigviz.commands.progress_bars import stage_bars
from bigviz.common.errors import Cancelled
from bigviz.common.fatal_signals import log_fatal_signals
from bigviz.common.printable import printable
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open_files
from bigviz.server.jobs.layer_ref import published
from bigviz.server.run.loading import Columns, document_of
from bigviz.tiles.build_store import index_layer
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.catalog.quota import bytes_of

__all__ = ["index_path", "layer_from"]


def index_path(
    path: str,
    words: Mapping[str, str],
    columns: Sequence[str],
    store_dir: Path | None,
    store_limit: int | None,
    options: CsvOptions = CsvOptions(),  # noqa: B008
) -> int:
    """Index a table as the command line says it; returns the exit status. Raises what opening and building raise."""
    log_fatal_signals()

    def tell_of(sentence: str) -> None:
        print(printable(sentence), file=sys.stderr)

    stores = StoreDirectory(store_dir, store_limit, tell=tell_of, asked=True)
    began = time.monotonic()
    try:
        with interruptible() as cancel, stage_bars() as tell:
            dataset = open_files(path, None, options, tell, cancel)
            layer = layer_from(dataset, words)
            store = index_layer(stores, dataset, layer, columns, Crew(progress=tell, cancel=cancel))
    except Cancelled:
        kept = printable(str(stores.root))
        print(f"Interrupted. What is done is kept in {kept}: the same command continues from there.", file=sys.stderr)
        return INTERRUPTED
    for sentence in (*dataset.notes, *dataset.assumed):
        print(printable(sentence), file=sys.stderr)
    seconds, size = time.monotonic() - began, decimal(bytes_of(store))
    what = f"{dataset.name}: {dataset.num_rows:,} rows by {layer.x} and {layer.y}"
    print(printable(f"{what} in {seconds:.1f} s, {size} in {store}"))
    return 0


def layer_from(dataset: Dataset, words: Mapping[str, str]) -> Layer:
    """The layer that `bigviz serve` shows for the same words: those of `Columns`.

    Raises BadInput, NotFound or Unplottable.
    """
    document = document_of(dataset, "index", Columns(**words))
    return published(document, *document.layers()[0]).resolve(document)[1]
