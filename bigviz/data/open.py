"""`bigviz.open`: from a path or an object to a dataset."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, Unreadable
from bigviz.common.printable import encodable
from bigviz.common.progress import Progress, listener, no_progress
from bigviz.common.threads.waits import inheriting, waits_end_with
from bigviz.data.arrow_errors import reading
from bigviz.data.dataset import Dataset
from bigviz.data.formats.csv import CsvPart, CsvSteps, assumed_of, require_csv
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.delimited.tokenizer import SharedEngine
from bigviz.data.formats.file_part import Part
from bigviz.data.formats.geometry import PointsPart
from bigviz.data.formats.hive import partitions
from bigviz.data.formats.ipc import IpcPart
from bigviz.data.formats.parquet import ParquetPart
from bigviz.data.formats.sniff import Format, format_of, named
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.origin import Origin
from bigviz.data.paths import Files, find_files, short_names
from bigviz.data.remote.address import is_remote, shown_source
from bigviz.data.remote.find import find_objects
from bigviz.data.sources.dask_frame import dask_frame_source, is_dask_frame
from bigviz.data.sources.files import FilesSource
from bigviz.data.sources.frames import to_table
from bigviz.data.sources.memory import MemorySource
from bigviz.data.sources.tasks import threads
from bigviz.data.table_formats.delta import is_delta, local_delta_files
from bigviz.data.table_formats.iceberg import is_iceberg, local_iceberg_files
from bigviz.data.table_formats.membership import Tables

__all__ = ["open", "open_files", "open_part", "part_of"]

_TOGETHER = 32  # CSV files that one engine reads, and holds open
_WAITING = 32  # files that are opened at a time where that is waiting for another machine

AnyPath = str | os.PathLike[str] | os.PathLike[bytes]


def open(
    source: object,
    *,
    name: str | None = None,
    header: bool | None = None,
    delimiter: str | None = None,
    client: object | None = None,
    progress: Progress | None = None,
    cancel: Cancel = NEVER,
) -> Dataset:
    """Open a table; nothing but footers and schemas is read until a column is used.

    - A path of a Parquet file, an Arrow IPC file or stream, or a CSV file (read whole); a directory of such files, with
      `key=value` directories as columns; a glob. What a file is, is decided by its bytes, not its name.
    - A list of paths: one table of them all.
    - An address in place of a path: `s3://`, `gs://`, `az://`, `abfs://`, `https://` (docs/remote.md). Never pass on
      one that a viewer wrote: this process would fetch it with its own credentials.
    - A pyarrow Table, RecordBatch or RecordBatchReader; anything with `__arrow_c_stream__` (polars, duckdb, pandas); a
      pandas frame of older versions; a mapping of names to arrays. Memory is shared where the object allows it. Names
      that are no text, as in pandas, are found as they are and as text (3 and "3").
    - A Dask DataFrame, with the `client` of the cluster that computes it: its partitions stay on the workers, which
      draw it (docs/scaling.md). Rows are numbered partition after partition.

    A column that cannot be read does not shut out the others: `notes` says which, and why.

    `name` is the dataset's; the default is the file's stem, the directory's name, or "table". `header` (True or False)
    and `delimiter` (one character, or "tab") are for CSV files, where bigviz finds them out otherwise; the dataset's
    `assumed` says what it found. While CSV files are read, `progress(stage, done, rows)` is called and `cancel` is
    checked. Raises `NotFound`, `BadInput`, `Unreadable`, `TooLarge` or `Cancelled`.
    """
    options = CsvOptions(header, delimiter)
    if client is not None and not is_dask_frame(source):
        kind = type(source).__name__
        raise BadInput(f"client is for a Dask DataFrame, which its workers draw, got a {kind}", "client", kind)
    if isinstance(source, str | os.PathLike) or _is_paths(source):
        return open_files(source, name, options, progress or listener(), cancel)  # type: ignore[arg-type]
    require_csv(options, f"the {type(source).__name__}")
    if isinstance(source, Dataset):
        return source
    if is_dask_frame(source):
        return Dataset(name or "table", dask_frame_source(source, client, cancel))
    with reading(f"The {type(source).__name__}", in_memory=True):
        return Dataset(name or "table", MemorySource(*to_table(source)))


def open_files(
    source: AnyPath | Sequence[AnyPath],
    name: str | None = None,
    options: CsvOptions = CsvOptions(),  # noqa: B008
    progress: Progress = no_progress,
    cancel: Cancel = NEVER,
    sample: bool = False,
) -> Dataset:
    """`open` for paths. With `sample` only the first rows of long CSV files are read: see `Dataset.estimated_rows`."""
    with waits_end_with(cancel):
        return _opened(source, name, _Opening(options, progress, cancel, sample))


def _opened(source: AnyPath | Sequence[AnyPath], name: str | None, opening: _Opening) -> Dataset:
    options, tables = opening.options, Tables()
    if isinstance(source, str | os.PathLike):
        origin = Origin.of(_path(source), options.header, options.delimiter)
        files = _files_at(_path(source), tables)
        return Dataset(name or encodable(files.name), _from_files(files, shown_source(str(source)), opening), origin)
    origin = Origin.of([_path(item) for item in source], options.header, options.delimiter)
    found = [_files_at(_path(item), tables) for item in source]
    paths = tuple(path for each in found for path in each.paths)
    relative = tuple(path for each in found for path in each.relative)
    notes = tuple(dict.fromkeys(note for each in found for note in each.notes))
    if any(each.constants is not None for each in found):
        raise BadInput("A Delta or Iceberg table is opened alone, not in a list: name it without the others.", "source")
    known = {path: file for each in found for path, file in each.known.items()}
    files = Files(paths, relative, found[0].name, notes, known)
    return Dataset(name or encodable(files.name), _from_files(files, f"{len(paths)} files", opening), origin)


def open_part(path: AnyPath) -> Part:
    """One Parquet or Arrow file as a part of a table. Raises `NotFound`, `BadInput` or `Unreadable`."""
    file = StableFile.at(_path(path))
    return part_of(file, format_of(file)[0])


def part_of(file: StableFile, found: Format) -> Part:
    """The same of a file whose format is known."""
    if found == "csv":
        raise Unreadable(f"{file.path} is CSV, and Parquet or Arrow is expected here.", "source", file.path)
    part = ParquetPart(file) if found == "parquet" else IpcPart(file, stream=found == "arrow stream")
    return PointsPart(part, part.geometries) if part.geometries else part


def _is_paths(source: object) -> bool:
    return (
        isinstance(source, list | tuple)
        and bool(source)
        and all(isinstance(item, str | os.PathLike) for item in source)
    )


@dataclass(frozen=True)
class _Opening:
    """How files are opened: what is said of CSV files, who hears of progress, and whether a sample is enough."""

    options: CsvOptions
    progress: Progress
    cancel: Cancel
    sample: bool


def _path(source: AnyPath) -> str:
    return os.fsdecode(os.fspath(source))


def _files_at(path: str, tables: Tables) -> Files:
    if is_remote(path):
        return find_objects(path)
    here = os.path.expanduser(path)
    if is_delta(here):
        return local_delta_files(path)
    if is_iceberg(here):
        return local_iceberg_files(here)
    found = find_files(path)
    note = tables.note_of(path, found.paths)
    return found if note is None else replace(found, notes=(*found.notes, note))


def _from_files(files: Files, what: str, opening: _Opening) -> FilesSource:
    workers = _WAITING if files.known else threads()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="bigviz-open", initializer=inheriting())
    run = pool.map if len(files.paths) > 1 else map
    with pool:
        found = list(run(partial(_sniffed, files.known), files.paths))
        for file, format_, _ in found:
            if format_ != "csv":
                require_csv(opening.options, f"{file.path}, which is {named(format_)}")
        places = [at for at, (_, format_, _) in enumerate(found) if format_ == "csv"]
        steps = CsvSteps(files.name, len(files.paths), opening.progress)
        read = partial(_read_texts, opening=opening, steps=steps)
        size = min(_TOGETHER, -(-len(places) // threads())) or 1
        groups = [[found[at][0] for at in places[start : start + size]] for start in range(0, len(places), size)]
        csv = [part for parts in run(read, groups) for part in parts]
        others = run(lambda each: part_of(*each[:2]), (each for each in found if each[1] != "csv"))
        texts = dict(zip(places, csv, strict=True))
        parts = [texts[at] if at in texts else next(others) for at in range(len(found))]
    notes = [*files.notes, *(note for _, _, note in found if note is not None), *_same_files(parts)]
    missing = sum(part.missing_rows for part in csv)
    constants = partitions(files.relative) if files.constants is None else dict(files.constants)
    if files.seen is not None:
        parts = list(map(files.seen, parts))
    return FilesSource(parts, constants, what, notes, assumed_of(csv), missing, files.version)


def _sniffed(known: Mapping[str, StableFile], path: str) -> tuple[StableFile, Format, str | None]:
    file = known.get(path) or StableFile.at(path)
    return file, *format_of(file)


def _read_texts(files: Sequence[StableFile], opening: _Opening, steps: CsvSteps) -> list[CsvPart]:
    """CSV files one after the other."""
    with ExitStack() as stack:
        shared = stack.enter_context(closing(SharedEngine(files))) if len(files) > 1 else None
        parts = []
        for file in files:
            opening.cancel.check()
            parts.append(CsvPart(file, opening.options, steps.of(file), opening.cancel, opening.sample, shared))
    return parts


def _same_files(parts: Sequence[Part]) -> list[str]:
    """A sentence if a link gives a file a second name in the table."""
    first: dict[tuple[int, int], str] = {}
    again: list[tuple[str, str]] = []
    for part, name in zip(parts, short_names([part.file.path for part in parts]), strict=True):
        known = first.setdefault((part.file.device, part.file.inode), name)
        if known is not name:
            again.append((name, known))
    if not again:
        return []
    twice, once = again[0]
    if len(again) == 1:
        return [f"{twice} is the same file as {once}: its rows count twice."]
    return [f"{len(again):,} files, such as {twice} (which is {once}), are in the table twice: so are their rows."]
