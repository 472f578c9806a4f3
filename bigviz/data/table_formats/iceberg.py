"""The files of an Iceberg table as its newest snapshot has them, in the order of its manifests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final

from bigviz.common.errors import BadInput, BigvizError, NotFound, Unreadable
from bigviz.common.threads.waits import inheriting
from bigviz.data.arrow_errors import reason_of
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.paths import Files, require_few
from bigviz.data.remote.address import address_of, is_remote
from bigviz.data.remote.object_file import ObjectFile
from bigviz.data.remote.object_store import iceberg_options
from bigviz.data.table_formats.by_field_id import ColumnsById, TableColumn

__all__ = [
    "IN_CATALOG", "METADATA", "iceberg_files", "is_iceberg", "local_iceberg_files", "newest_metadata",
]  # fmt: skip

METADATA: Final = ".metadata.json"
IN_CATALOG: Final = "iceberg"
"""The scheme of addresses that a catalog knows: iceberg://CATALOG/NAMESPACE.TABLE."""

_VERSION: Final = re.compile(r"v?(\d+)(?:[-.].*)?")
_WAITING: Final = 32  # files that are asked for at a time


@dataclass(frozen=True)
class _DataFile:
    """What a manifest says of a file."""

    path: str
    size: int
    rows: int


def is_iceberg(path: str) -> bool:
    """Whether a path is the metadata of an Iceberg table, or a directory with some."""
    if path.endswith(METADATA):
        return os.path.isfile(path)
    inside = os.path.join(path, "metadata")
    return os.path.isdir(inside) and any(name.endswith(METADATA) for name in os.listdir(inside))


def local_iceberg_files(path: str) -> Files:
    """`iceberg_files` of a directory, or a metadata file, on this machine."""
    path = os.path.abspath(path)
    if path.endswith(METADATA):
        folder = os.path.dirname(path)
        root = os.path.dirname(folder) if os.path.basename(folder) == "metadata" else folder
        return iceberg_files(path, path, os.path.basename(root) or "root")
    inside = os.path.join(path, "metadata")
    newest = newest_metadata(os.listdir(inside), path)
    return iceberg_files(os.path.join(inside, newest), path, os.path.basename(path) or "root")


def newest_metadata(names: Sequence[str], shown: str) -> str:
    """The metadata file with the highest version. Raises `Unreadable` where two have it: their table's catalog alone
    knows which of them counts."""
    versions = {
        name: int(found[1]) for name in names if name.endswith(METADATA) and (found := _VERSION.fullmatch(name))
    }
    highest = [name for name, version in versions.items() if version == max(versions.values())]
    if len(highest) != 1:
        which = f"has {' and '.join(sorted(highest)[:2])}" if highest else "has no metadata file with a version"
        raise Unreadable(
            f"The Iceberg table {shown} {which}, and its catalog alone knows which metadata file counts: name that "
            f"file ({shown}/metadata/...{METADATA}), or {IN_CATALOG}://CATALOG/NAMESPACE.TABLE.",
            field="source",
            got=shown,
        )
    return highest[0]


def iceberg_files(location: str, shown: str, name: str) -> Files:
    """The files of the table whose metadata file is at `location`, a path or an address; or which a catalog has under
    that address.

    Raises BadInput where the package `pyiceberg` is not installed, `Unreadable` for a table whose rows are not those of
    its Parquet files (delete files), `NotFound` for one without rows.
    """
    try:
        package = import_module("pyiceberg")
        import_module("pyiceberg.table")
    except ImportError as error:
        raise BadInput(
            f"{shown} is an Iceberg table, whose metadata says which of its files count. Reading that takes a package "
            "that is not installed: pip install 'bigviz[iceberg]'. To open all of its files, give a glob of them.",
            field="source",
            got=shown,
        ) from error
    try:
        table = _table(location)
        snapshot = table.current_snapshot()
        found = [] if snapshot is None else list(_data_files(table, snapshot, shown))
        columns = _columns(table)
    except BigvizError:
        raise
    except Exception as error:  # of pyiceberg, its catalogs, file systems and readers of JSON and Avro
        reason = type(error).__name__ if is_remote(location) else reason_of(error)  # those of stores may hold secrets
        raise Unreadable(
            f"The metadata of the Iceberg table {shown} cannot be read by pyiceberg {package.__version__}: {reason}. "
            f"{_advice(location)}",
            field="source",
            got=shown,
        ) from None
    if snapshot is None or not found:
        raise NotFound(f"The Iceberg table {shown} has no rows.", "source", shown)
    require_few(len(found), shown)
    paths = tuple(_path(each.path, table.metadata_location, shown) for each in found)
    note = f"Snapshot {snapshot.snapshot_id} of an Iceberg table."
    return Files(
        paths,
        tuple(map(os.path.basename, paths)),
        name,
        (note,),
        known=_known(paths, found),
        constants={},
        seen=partial(ColumnsById, columns=columns),
        version=f"iceberg {table.metadata.table_uuid} {snapshot.snapshot_id} {table.metadata.current_schema_id}",
    )


def _advice(location: str) -> str:
    if not location.startswith(f"{IN_CATALOG}://"):
        return "Check that it can be reached, and open it with Iceberg's own tools."
    name = address_of(location).root.partition("://")[2]
    return (
        f"Check that ~/.pyiceberg.yaml or PYICEBERG_CATALOG__{name.upper()}__URI says where the catalog {name} is, and "
        "that it has the table."
    )


def _table(location: str) -> Any:
    if location.startswith(f"{IN_CATALOG}://"):
        address = address_of(location)
        catalog = import_module("pyiceberg.catalog").load_catalog(address.root.partition("://")[2])
        return catalog.load_table(address.key)
    return import_module("pyiceberg.table").StaticTable.from_metadata(location, iceberg_options())


def _data_files(table: Any, snapshot: Any, shown: str) -> Iterator[_DataFile]:
    """What counts of each manifest. Raises `Unreadable` where rows of it do not."""
    manifests = import_module("pyiceberg.manifest")
    for manifest in snapshot.manifests(table.io):
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            file = entry.data_file
            if manifest.content != manifests.ManifestContent.DATA or file.content != manifests.DataFileContent.DATA:
                raise Unreadable(
                    f"The Iceberg table {shown} has delete files: rows of its data files that do not count. bigviz "
                    "does not read those; rewrite the data files first (rewrite_data_files).",
                    field="source",
                    got=shown,
                )
            if file.file_format != manifests.FileFormat.PARQUET:
                raise Unreadable(
                    f"The Iceberg table {shown} has files in {file.file_format.value}, and bigviz reads those in "
                    "Parquet.",
                    field="source",
                    got=shown,
                )
            if file.record_count:
                yield _DataFile(file.file_path, file.file_size_in_bytes, file.record_count)


def _columns(table: Any) -> list[TableColumn]:
    """The columns as they are now."""
    schema = table.schema()
    fields = import_module("pyiceberg.io.pyarrow").schema_to_pyarrow(schema)
    in_partitions = {
        field.source_id
        for spec in table.specs().values()
        for field in spec.fields
        if str(field.transform) == "identity"
    }
    columns = []
    for own, field in zip(schema.fields, fields, strict=True):
        otherwise = None
        if own.initial_default is not None:
            otherwise = "a default value"
        elif own.field_id in in_partitions:
            otherwise = "the value of its partition"
        columns.append(TableColumn(own.field_id, field, otherwise))
    return columns


def _path(path: str, metadata: str, shown: str) -> str:
    """Where a file is, for bigviz. A table names no file in another kind of place than its own metadata is in: else
    one that somebody else wrote could show what only this machine can read."""
    if path.startswith("file:"):
        path = re.sub(r"^file:(//)?(?=/)", "", path)
    metadata = re.sub(r"^file:(//)?(?=/)", "", metadata)
    here, there = (address_of(each).scheme if is_remote(each) else "" for each in (metadata, path))
    if here != there or not (there or os.path.isabs(path)):
        raise Unreadable(
            f"The metadata of the Iceberg table {shown} is {_at(here)}, and names files {_at(there)}. bigviz reads "
            "files of the same kind of place only.",
            field="source",
            got=shown,
        )
    return path


def _at(scheme: str) -> str:
    return f"at {scheme}://" if scheme else "on this machine"


def _known(paths: Sequence[str], files: Sequence[_DataFile]) -> dict[str, StableFile]:
    """The files, opened. Raises `Unreadable` where one is not what its manifest says."""
    with ThreadPoolExecutor(_WAITING, thread_name_prefix="bigviz-open", initializer=inheriting()) as pool:
        opened = list(pool.map(_opened, paths))
    for path, file, told in zip(paths, opened, files, strict=True):
        if file.size != told.size:
            raise Unreadable(
                f"{path} has {file.size:,} bytes, and the manifest of its Iceberg table says {told.size:,}: it is not "
                "the file that was written. Restore it.",
                field="source",
                got=path,
            )
    return dict(zip(paths, opened, strict=True))


def _opened(path: str) -> StableFile:
    return ObjectFile.at(path) if is_remote(path) else StableFile.at(path)
