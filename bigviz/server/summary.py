"""`bigviz info`: what a table holds and what would be plotted, and what its indexes hold."""

from __future__ import annotations

import os
from pathlib import Path

from bigviz.data.dataset import Dataset
from bigviz.data.defaults import choose
from bigviz.data.errors import Unplottable
from bigviz.data.open import open as open_dataset
from bigviz.server.storelines import store_lines, stores_lines
from bigviz.tiles.store.directory import StoreDirectory, entry_of
from bigviz.tiles.store.manifest import NAME

__all__ = ["summary"]


def summary(path: str, store_dir: Path | None = None) -> str:
    """Lines of text on a table (rows, columns with their types, the default choice of columns, its indexes), on an
    index, or on a directory of indexes."""
    folder = Path(path).absolute()
    if folder.is_dir():
        if (folder / NAME).is_file():
            return "\n".join(store_lines(entry_of(folder)))
        entries = StoreDirectory(folder).entries()
        if entries:
            return "\n".join(stores_lines(entries))
    dataset = open_dataset(path)
    return "\n".join([*_table_lines(dataset), *_index_lines(dataset, StoreDirectory(store_dir))])


def _table_lines(dataset: Dataset) -> list[str]:
    columns = dataset.columns()
    width = max((len(each.name) for each in columns), default=0)
    rows, count = dataset.num_rows, len(columns)
    lines = [f"{dataset.name}: {rows:,} row{'s' * (rows != 1)}, {count:,} column{'s' * (count != 1)}"]
    for each in columns:
        type_ = f"{each.type}" + ("" if each.plottable else "  (cannot be plotted)")
        lines.append(f"  {each.name:<{width}}  {type_ if each.readable else '(cannot be read, see the note below)'}")
    try:
        choice = choose(dataset)
        lines.append(f"Shown without --x and --y: {choice.glyph} of {choice.x} and {choice.y}.")
    except Unplottable as error:
        lines.append(error.message)
    return [*lines, *(f"Note: {note}" for note in dataset.notes)]


def _index_lines(dataset: Dataset, stores: StoreDirectory) -> list[str]:
    """The indexes of these files, in any state."""
    if not dataset.files:
        return []
    first = os.path.realpath(dataset.files[0].path)
    entries = [each for each in stores.entries() if each.of.get("files", [[None]])[0][0] == first]
    return stores_lines(entries)
