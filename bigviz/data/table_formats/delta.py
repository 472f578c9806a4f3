"""The files of a Delta table as its log has them: not those that were replaced or removed, which lie beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.arrow_errors import reason_of
from bigviz.data.paths import Files, require_few
from bigviz.data.remote.address import address_of, is_remote
from bigviz.data.remote.transfers import in_own_time

__all__ = ["LOG", "delta_files", "is_delta", "local_delta_files"]

LOG: Final = "_delta_log"

_UNDERSTOOD: Final = frozenset({
    "appendOnly", "deletionVectors", "invariants", "checkConstraints", "generatedColumns", "changeDataFeed",
    "timestampNtz", "typeWidening", "typeWidening-preview", "v2Checkpoint", "vacuumProtocolCheck", "variantType",
    "variantType-preview", "variantShredding-preview",
})  # fmt: skip
"""What a writer may have used without changing which rows plain Parquet files hold."""


def is_delta(path: str) -> bool:
    """Whether a directory is a Delta table."""
    return os.path.isdir(os.path.join(path, LOG))


def delta_files(root: str, shown: str, name: str, options: Mapping[str, str] | None = None) -> Files:
    """The files of the newest version of the table at `root`, a directory or an address, in the order of their paths,
    and what the log says of each in place of the names of directories. `options` are those of the package `deltalake`.

    Raises BadInput where that is not installed, `Unreadable` for a table that is more than its Parquet files (deletion
    vectors, mapped columns), `NotFound` for one without rows.
    """
    try:
        deltalake = import_module("deltalake")
    except ImportError as error:
        raise BadInput(
            f"{shown} is a Delta table, whose log says which of its files count. Reading that takes a package that is "
            "not installed: pip install 'bigviz[delta]'. To open all of its files, give a glob of them.",
            field="source",
            got=shown,
        ) from error
    listed = partial(_listed, deltalake, root, shown, dict(options or {}))
    try:
        table, uris, actions = in_own_time(address_of(root), listed) if is_remote(root) else listed()
    except (deltalake.exceptions.DeltaError, OSError, ValueError) as error:
        reason = type(error).__name__ if is_remote(root) else reason_of(error)  # those of stores may hold secrets
        raise Unreadable(
            f"The log of the Delta table {shown} cannot be read by deltalake {deltalake.__version__}: {reason}. Open "
            "the table with Delta's own tools, or write it anew.",
            field="source",
            got=shown,
        ) from None
    if not uris:
        raise NotFound(f"The Delta table {shown} has no rows in its version {table.version()}.", "source", shown)
    require_few(len(uris), shown)
    order = sorted(range(len(uris)), key=uris.__getitem__)
    paths = [_path(uris[at]) for at in order]
    note = f"Version {table.version():,} of a Delta table."
    return Files(tuple(paths), tuple(map(os.path.basename, paths)), name, (note,), constants=_constants(actions, order))


def _listed(deltalake: Any, root: str, shown: str, options: dict[str, str]) -> tuple[Any, list[str], pa.Table]:
    """The table, its files, and what its log says of them."""
    table = deltalake.DeltaTable(root, storage_options=options)
    _require_plain(table, shown)
    return table, table.file_uris(), pa.table(table.get_add_actions(flatten=False))


def _require_plain(table: Any, shown: str) -> None:
    """Raise Unreadable for a table whose rows are not those of its files."""
    features = table.protocol().reader_features or []
    mapped = table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none"
    others = sorted(set(features) - _UNDERSTOOD - {"columnMapping"})
    if mapped or others:
        what = "names its columns otherwise than its files (column mapping)" if mapped else f"uses {', '.join(others)}"
        raise Unreadable(
            f"The Delta table {shown} {what}, which bigviz does not read. Write it anew without, or export it to "
            "Parquet.",
            field="source",
            got=shown,
        )
    if "deletionVectors" in features and any(len(batch) for batch in pa.table(table.deletion_vectors()).to_batches()):
        raise Unreadable(
            f"The Delta table {shown} has deletion vectors: rows of its files that do not count. bigviz does not read "
            "those; rewrite the files first (REORG TABLE ... APPLY (PURGE)).",
            field="source",
            got=shown,
        )


def _path(uri: str) -> str:
    return unquote(urlsplit(uri).path) if uri.startswith("file://") else uri


def _constants(actions: pa.Table, order: list[int]) -> dict[str, list[pa.Scalar]]:
    """The values of the columns that the table is partitioned by, in the files of that order."""
    if "partition" not in actions.schema.names:
        return {}
    values = actions.column("partition").combine_chunks()
    columns = {each.name: values.field(each.name) for each in values.type}
    return {name: [column[at] for at in order] for name, column in columns.items()}


def local_delta_files(path: str) -> Files:
    """`delta_files` of a directory on this machine."""
    path = os.path.expanduser(path)
    return delta_files(path, path, Path(os.path.abspath(path)).name or "root")
