"""`bigviz info`: what a table holds and what would be plotted, and what its indexes hold."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Final

from rich.filesize import decimal

from bigviz.aggregate.dyadic_cells import Root
from bigviz.commands.progress_bars import stage_bars
from bigviz.common.errors import BadInput, Unplottable
from bigviz.common.printable import printable
from bigviz.data.columns.column import own_name
from bigviz.data.dataset import Dataset
from bigviz.data.default_columns import choose
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open_files
from bigviz.tiles.store.catalog.atomic_build import others_progress
from bigviz.tiles.store.catalog.directory import Entry, StoreDirectory, entry_of
from bigviz.tiles.store.catalog.identity import freshness
from bigviz.tiles.store.catalog.parts import PARTS, parts
from bigviz.tiles.store.catalog.quota import bytes_of
from bigviz.tiles.store.files.manifest import FORMAT, NAME, Manifest

__all__ = ["store_lines", "stores_lines", "summary"]

_LONGEST: Final = 100  # characters of a name or a type
_WIDEST: Final = 40  # of a column of names; longer ones stick out


def summary(
    path: str,
    store_dir: Path | None = None,
    options: CsvOptions = CsvOptions(),  # noqa: B008
    exact: bool = False,
) -> str:
    """Lines of text on a table (rows, columns with their types, the default choice of columns, its indexes), on an
    index, or on a directory of indexes.

    Of long CSV files only the first rows are read, and the number of rows is an estimate, unless `exact` is True.
    """
    folder = Path(path).absolute()
    if os.path.isdir(folder):
        if os.path.isfile(folder / NAME):
            return _text(store_lines(entry_of(folder)))
        with suppress(BadInput):  # opening a table says why a directory cannot be read
            entries = StoreDirectory(folder).entries()
            if entries:
                return _text(stores_lines(entries))
    if exact:
        with stage_bars() as tell:
            dataset = open_files(path, None, options, tell)
    else:
        dataset = open_files(path, None, options, sample=True)
    return _text([*_table_lines(dataset), *_index_lines(dataset, store_dir)])


def _text(lines: Sequence[str]) -> str:
    return "\n".join(map(printable, lines))


def _table_lines(dataset: Dataset) -> list[str]:
    columns = dataset.columns()
    names = [_cut(printable(each.name)) for each in columns]
    width = min(_WIDEST, max(map(len, names), default=0))
    lines = [f"{dataset.name}: {_rows(dataset)}, {len(columns):,} column{'s' * (len(columns) != 1)}"]
    for each, name in zip(columns, names, strict=True):
        type_ = _cut(f"{each.type}") + ("" if each.plottable else "  (cannot be plotted)")
        lines.append(f"  {name:<{width}}  {type_ if each.readable else '(cannot be read, see the note below)'}")
    try:
        choice = choose(dataset)
        lines.append(f"Shown without --x and --y: {choice.glyph} of {_cut(choice.x)} and {_cut(choice.y)}.")
    except Unplottable as error:
        lines.append(error.message)
    return [*lines, *(f"Note: {note}" for note in (*dataset.notes, *dataset.assumed))]


def _cut(text: str) -> str:
    """A name or a type, short enough for a line."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _rows(dataset: Dataset) -> str:
    rows, about = dataset.num_rows, dataset.estimated_rows
    if about is None:
        return f"{rows:,} row{'s' * (rows != 1)}"
    return f"about {float(f'{about:.2g}'):,.0f} rows (estimated; --exact counts them)"


def _index_lines(dataset: Dataset, store_dir: Path | None) -> list[str]:
    """The indexes of these files, in any state."""
    if not dataset.files:
        return []
    first = dataset.files[0].place
    try:
        entries = StoreDirectory(store_dir).entries()
    except BadInput as error:
        return [f"Note: {error.message}"]
    return stores_lines([each for each in entries if each.of.get("files", [[None]])[0][0] == first])


_FRESH = {
    "fresh": "fresh: its source has not changed",
    "stale": "stale: its source has changed, and it is built again when it is needed",
    "gone": "its source is gone",
    "elsewhere": "its source is elsewhere, and compared when it is opened",
}


def stores_lines(entries: Sequence[Entry]) -> list[str]:
    """Several stores, the most recently used first."""
    return [line for entry in entries for line in store_lines(entry)]


def store_lines(entry: Entry) -> list[str]:
    """One store: what it is of, whether it can be used, what it holds, and what it takes."""
    facts = list(_facts(entry))
    width = max(len(name) for name, _ in facts)
    return [str(entry.path), *(f"  {name:<{width}}  {text}" for name, text in facts)]


def _facts(entry: Entry) -> Iterable[tuple[str, str]]:
    of, manifest = entry.of, entry.manifest
    if of:
        spec = of["spec"]
        what = "series" if spec["kind"] == "series" else "rows in Morton order"
        root = "" if spec["root"] == "default" else ", far rows included"
        yield "index of", f"{spec['x']} ({spec['xaxis']}) and {spec['y']} ({spec['yaxis']}): {what}{root}"
        files = of["files"]
        more = len(files) - 1 + of["more_files"]
        yield "source", files[0][0] + (f" and {more:,} more files" if more else "") + f", {of['rows']:,} rows"
    yield "state", _state(entry)
    if manifest is not None:
        yield from _contents(manifest)
        for kind in PARTS:
            added = [f"{_column(key)} ({decimal(bytes_of(path))})" for key, path in parts(entry.path, kind).items()]
            if added:
                yield f"{kind} added" if kind == "columns" else kind, ", ".join(added)
        sizes = (f"{name} {decimal(each.size)}" for name, each in manifest.files.items())
        yield "files", ", ".join(sizes)
        yield "format", f"{FORMAT}, written {_time(manifest.written)}"
    yield "size", f"{decimal(entry.size)}, last used {_time(entry.used)}"


def _column(name: str) -> str:
    """A column of an index, as `bigviz info` names it."""
    own = own_name(name)
    return own if own == name else f"{own} as labels"


def _state(entry: Entry) -> str:
    if entry.state == "ready":
        return _FRESH[freshness(entry.of)]
    if entry.state == "other format":
        return "written by another version of bigviz, and not used by this one"
    if entry.state == "damaged":
        return "damaged: it is built again when it is needed"
    told = others_progress(entry.path)
    how_far = f", {told['done']:.0%} of {told['stage']!r} when it last reported" if told else ""
    return f"unfinished{how_far}: run the command that began it again to continue"


def _contents(manifest: Manifest) -> Iterable[tuple[str, str]]:
    survey = manifest.facts.get("survey", {})
    roots = survey.get("roots") or [survey[axis] for axis in ("x", "y") if axis in survey]
    for axis, (multiple, exponent) in zip(("x", "y"), roots, strict=False):
        root = Root(int(multiple), int(exponent))
        yield f"root {axis}", f"{_number(root.start)} to {_number(root.stop)}"
    counts = [f"{survey[name]:,} {name}" for name in ("inside", "outside", "far") if name in survey]
    if counts:
        yield "rows", ", ".join(counts)
    columns = manifest.facts.get("columns", ())
    if columns:
        yield "columns", ", ".join(map(_column, columns))


def _number(edge: Fraction) -> str:
    """A root's edge, exactly if it is a whole number of at most 64 bits."""
    return str(edge) if edge.denominator == 1 and abs(edge) < 1 << 64 else f"{float(edge):.17g}"


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
