"""What an app hands over to the server when its script has run: how to get at the tables of its document."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from bigviz.common.errors import Conflict
from bigviz.data.columns.column import Unusable
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import frame_source
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open_files
from bigviz.data.origin import Origin
from bigviz.data.sources.memory import MemorySource
from bigviz.document.spec import Document

__all__ = ["described_tables", "mapped_table", "opened_table", "shared_description"]

Description = dict[str, Any]


def described_tables(document: Document, directory: Path) -> dict[str, Description]:
    """Of each dataset of a document what `opened_table` opens in another process: `{"origin": …}` of one that was
    opened from paths, and `{"file", "digest", "unusable"}` of a table in memory, which is written to the directory."""
    found: dict[str, Description] = {}
    for number, (name, source) in enumerate(document.sources.items()):
        dataset = cast(Dataset, source)
        if dataset.origin is not None:
            found[name] = {"origin": asdict(dataset.origin)}
        elif dataset.in_memory is not None:
            found[name] = _written(dataset.in_memory, directory / f"{number}.arrow")
        elif frame_source(dataset) is not None:
            raise Conflict(f"The table {name!r} is on a Dask cluster: a script serves it itself, by bv.serve.")
        else:
            raise Conflict(f"The table {name!r} grows here: an app names such a dataset by its name on the server.")
    return found


def opened_table(name: str, description: Description, directory: Path) -> Dataset:
    """The dataset; the file of a table is gone from the directory afterwards, and mapped. Raises what `bigviz.open`
    does."""
    found = mapped_table(name, description, directory)
    if "file" in description:
        (directory / description["file"]).unlink()  # nobody can cut it short any more while it is mapped
    return found


def shared_description(description: Description, directory: Path, shared: Path) -> Description:
    """The same table for other processes too: its file is named after what it holds, in a directory of theirs, which
    is on the same file system."""
    if "file" not in description:
        return description
    name = f"{description['digest'][:64]}.arrow"
    with suppress(FileExistsError):
        os.link(directory / Path(description["file"]).name, shared / name)
    return {**description, "file": name}


def mapped_table(name: str, description: Description, directory: Path) -> Dataset:
    """The dataset, the same one in all processes; its file stays where it is. Raises what `bigviz.open` does."""
    if "origin" in description:
        origin = Origin(**{**description["origin"], "paths": tuple(description["origin"]["paths"])})
        return open_files(origin.source, name, CsvOptions(origin.header, origin.delimiter))
    path = directory / Path(description["file"]).name
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    unusable = {int(at): Unusable(*reason) for at, reason in description["unusable"].items()}
    source = MemorySource(table, unusable)
    source.fingerprint = description["digest"][:32]
    return Dataset(name, source)


def _written(source: MemorySource, path: Path) -> Description:
    """Write a table, columns that cannot be read as nulls; equal tables have equal digests."""
    table = source.table
    for at, column in source.unusable.items():
        if not column.readable:
            field = table.schema.field(at)
            table = table.set_column(at, field, pa.nulls(table.num_rows, field.type))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, "blake2b").hexdigest()
    return {"file": path.name, "digest": digest, "unusable": _plain(source.unusable)}


def _plain(unusable: Mapping[int, Unusable]) -> dict[str, list[Any]]:
    return {str(at): list(each) for at, each in unusable.items()}
