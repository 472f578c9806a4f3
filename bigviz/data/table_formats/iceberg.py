"""The files of an Iceberg table as its newest snapshot has them, in the order of its manifests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, TypeVar

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, BigvizError, NotFound, Unreadable
from bigviz.common.threads.waits import inheriting
from bigviz.data.arrow_errors import reason_of
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.paths import Files, require_few
from bigviz.data.remote.address import Address, address_of, is_remote
from bigviz.data.remote.transfers import in_own_time
from bigviz.data.table_formats.avro_records import Record
from bigviz.data.table_formats.by_field_id import ColumnsById, TableColumn
from bigviz.data.table_formats.metadata_files import MetadataFiles, file_at, read_by, read_here

__all__ = [
    "IN_CATALOG", "METADATA", "iceberg_files", "is_iceberg", "local_iceberg_files", "newest_metadata",
]  # fmt: skip

METADATA: Final = ".metadata.json"
IN_CATALOG: Final = "iceberg"
"""The scheme of addresses that a catalog knows: iceberg://CATALOG/NAMESPACE.TABLE."""

_VERSION: Final = re.compile(r"v?(\d+)(?:[-.].*)?")
_CODE: Final = "py-io-impl"
_WAITING: Final = 32  # files that are asked for at a time

# The ids of fields: https://iceberg.apache.org/spec/#manifests
_MANIFEST, _CONTENT = 500, 517
_STATUS, _FILE = 0, 2
_CONTENT_OF_FILE, _PATH, _FORMAT, _ROWS, _SIZE = 134, 100, 101, 103, 104
_DELETED: Final = 2  # the status of an entry that says what is not there any more

T = TypeVar("T")


@dataclass(frozen=True)
class _DataFile:
    """What a manifest says of a file."""

    path: str
    size: int


def is_iceberg(path: str) -> bool:
    """Whether a path is the metadata of an Iceberg table, or a directory with some that may be read."""
    if path.endswith(METADATA):
        return os.path.isfile(path)
    try:
        return any(name.endswith(METADATA) for name in os.listdir(os.path.join(path, "metadata")))
    except (OSError, ValueError):  # no path at all
        return False


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
        if location.startswith(f"{IN_CATALOG}://"):
            table, snapshot, home, found = in_own_time(address_of(location), partial(_listed, location, shown))
        else:
            table, snapshot, home, found = _listed(location, shown)
        paths = tuple(home.path(each.path) for each in found)
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


def _listed(location: str, shown: str) -> tuple[Any, Any, _Home, list[_DataFile]]:
    """The table, its snapshot, where its files may be, and those that count."""
    table = _table(location)
    snapshot = table.current_snapshot()
    home = _Home.of(location, table.metadata_location, shown)
    return table, snapshot, home, [] if snapshot is None else list(_data_files(table, snapshot, home))


def _advice(location: str) -> str:
    if not location.startswith(f"{IN_CATALOG}://"):
        return "Check that it can be reached, and open it with Iceberg's own tools."
    name = address_of(location).root.partition("://")[2]
    return (
        f"Check that ~/.pyiceberg.yaml or PYICEBERG_CATALOG__{name.upper()}__URI says where the catalog {name} is, and "
        "that it has the table."
    )


def _table(location: str) -> Any:
    """The table. What its metadata says of how files are read is not believed: a property (py-io-impl) names code that
    pyiceberg would run, and others the servers that it would sign requests for."""
    if location.startswith(f"{IN_CATALOG}://"):
        return _in_catalog(address_of(location))
    files = MetadataFiles(lambda path: read_here(_local(path)))
    metadata = import_module("pyiceberg.table.metadata").TableMetadataUtil.parse_raw(files.text(location))
    name = ("static-table", location)
    catalog = import_module("pyiceberg.catalog.noop").NoopCatalog(name[0])
    return import_module("pyiceberg.table").StaticTable(name, metadata, location, files, catalog)


def _in_catalog(address: Address) -> Any:
    """A table of a catalog, which may say what credentials its files take, but name no code."""
    catalog = import_module("pyiceberg.catalog").load_catalog(address.root.partition("://")[2])
    of_catalog = catalog._load_file_io

    def files(properties: Mapping[str, str] = MappingProxyType({}), location: str | None = None) -> Any:
        return of_catalog({name: each for name, each in properties.items() if name != _CODE}, location)

    catalog._load_file_io = files
    table = catalog.load_table(address.key)
    table.io = MetadataFiles(partial(read_by, table.io))
    return table


def _data_files(table: Any, snapshot: Any, home: _Home) -> Iterator[_DataFile]:
    """What counts of each manifest, in its own words. Raises `Unreadable` where rows of it do not, `TooLarge` beyond
    100,000 files, and ValueError for what is no manifest."""
    files: MetadataFiles = table.io
    found = 0
    home.path(snapshot.manifest_list)
    for manifest in files.records(snapshot.manifest_list):
        path = _told(manifest, _MANIFEST, str)
        home.path(path)
        for entry in files.records(path):
            if _told(entry, _STATUS, int) == _DELETED:
                continue
            file = _told(entry, _FILE, dict)
            if manifest.get(_CONTENT) or file.get(_CONTENT_OF_FILE):
                raise Unreadable(
                    f"The Iceberg table {home.shown} has delete files: rows of its data files that do not count. "
                    "bigviz does not read those; rewrite the data files first (rewrite_data_files).",
                    field="source",
                    got=home.shown,
                )
            kind = _told(file, _FORMAT, str).upper()
            if kind != "PARQUET":
                raise Unreadable(
                    f"The Iceberg table {home.shown} has files in {echoed(kind)}, and bigviz reads those in Parquet.",
                    field="source",
                    got=home.shown,
                )
            if _told(file, _ROWS, int):
                found += 1
                require_few(found, home.shown)
                yield _DataFile(_told(file, _PATH, str), _told(file, _SIZE, int))


def _told(record: Record, number: int, kind: type[T]) -> T:
    """A field of a manifest. Raises ValueError where there is none."""
    found = record.get(number)
    if not isinstance(found, kind):
        raise ValueError(f"a manifest without field {number}")
    return found


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


@dataclass(frozen=True)
class _Home:
    """Where a table may have files: else one that somebody else wrote could show what only this machine, or its
    credentials, can read. `metadata` is where its metadata file is, and `by_catalog` whether a catalog says so: then
    its files are anywhere in the same kind of place, else below its directory, or in its bucket."""

    metadata: str
    shown: str
    by_catalog: bool = False

    @classmethod
    def of(cls, location: str, metadata: str, shown: str) -> _Home:
        """That of the table at a location."""
        return cls(_local(metadata), shown, location.startswith(f"{IN_CATALOG}://"))

    def path(self, path: str) -> str:
        """Where a file is, for bigviz. Raises `Unreadable` where it may not be."""
        path = _local(path)
        here, there = (address_of(each) if is_remote(each) else None for each in (self.metadata, path))
        if (here and here.scheme) != (there and there.scheme) or not (there or os.path.isabs(path)):
            raise self._refused(f"is {_at(here)}, and names files {_at(there)}", "files of the same kind of place")
        if ".." in path.split("/"):
            raise self._refused("names a file by way of ..", "files below its directory")
        if self.by_catalog:
            return path
        if here and there and here.root != there.root:
            raise self._refused(f"names files in {there.root}", "files in the bucket of the metadata")
        if here is None and not _is_below(path, self._directory):
            raise self._refused("names files outside of its directory", "files below that")
        return path

    @property
    def _directory(self) -> str:
        folder = os.path.dirname(self.metadata)
        return os.path.dirname(folder) if os.path.basename(folder) == "metadata" else folder

    def _refused(self, what: str, which: str) -> Unreadable:
        return Unreadable(
            f"The metadata of the Iceberg table {self.shown} {what}. bigviz reads {which} only; of a table whose "
            f"catalog you trust name {IN_CATALOG}://CATALOG/NAMESPACE.TABLE.",
            field="source",
            got=self.shown,
        )


def _local(path: str) -> str:
    return re.sub(r"^file:(//)?(?=/)", "", path)


def _is_below(path: str, directory: str) -> bool:
    real, above = os.path.realpath(path), os.path.realpath(directory)
    return os.path.commonpath([real, above]) == above


def _at(address: Address | None) -> str:
    return f"at {address.scheme}://" if address else "on this machine"


def _known(paths: Sequence[str], files: Sequence[_DataFile]) -> dict[str, StableFile]:
    """The files, opened. Raises `Unreadable` where one is not what its manifest says."""
    with ThreadPoolExecutor(_WAITING, thread_name_prefix="bigviz-open", initializer=inheriting()) as pool:
        opened = list(pool.map(file_at, paths))
    for path, file, told in zip(paths, opened, files, strict=True):
        if file.size != told.size:
            raise Unreadable(
                f"{path} has {file.size:,} bytes, and the manifest of its Iceberg table says {told.size:,}: it is not "
                "the file that was written. Restore it.",
                field="source",
                got=path,
            )
    return dict(zip(paths, opened, strict=True))
