"""What a store is an index of: the files of a dataset as they were, and which other stores are of the same files."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, Literal

from bigviz.data.dataset import Dataset
from bigviz.data.remote.address import is_remote
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.files.manifest import FORMAT

__all__ = ["Freshness", "folder_name", "freshness", "origin_of"]

Freshness = Literal["fresh", "stale", "gone", "elsewhere"]

_MOST_FILES: Final = 1000  # whose sizes and times are written down; the fingerprint covers all


def origin_of(dataset: Dataset, spec: OrderSpec) -> dict[str, Any]:
    """What a manifest says of its source, as JSON.

    `fingerprint` is the dataset's: path, size, times and footer of each file. `identity` leaves out size, times and
    footer: of two stores with the same identity one is of an older state of the files, or in an older format. Parts of
    files have their own.
    """
    files = dataset.files
    of = [each.place for each in files], asdict(spec)
    return {
        "dataset": dataset.name,
        "rows": dataset.num_rows,
        "fingerprint": dataset.fingerprint,
        "identity": _digest(of if dataset.pieces is None else (*of, dataset.pieces)),
        "files": [each.identity for each in files[:_MOST_FILES]],
        "more_files": max(0, len(files) - _MOST_FILES),
        "spec": asdict(spec),
    }  # fmt: skip


def folder_name(dataset: Dataset, spec: OrderSpec) -> str:
    """The name of the one folder that a store of these files, as they are now, can have, whatever the dataset's name
    is."""
    stem = os.path.splitext(os.path.basename(dataset.files[0].path))[0]
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", stem).strip("-")[:40] or "table"
    return f"{plain}-{_digest((FORMAT, dataset.fingerprint, asdict(spec)))}"


def freshness(origin: Mapping[str, Any]) -> Freshness:
    """Whether the files are still as they were, by size and times: without opening them. Stores of other machines are
    not asked."""
    for path, size, *times in origin["files"]:
        if is_remote(path):
            return "elsewhere"
        try:
            status = os.stat(path)
        except OSError:
            return "gone"
        # An index made before files' times of change were noted has no second time.
        if status.st_size != size or [status.st_mtime_ns, status.st_ctime_ns][: len(times)] != times:
            return "stale"
    return "fresh"


def _digest(value: object) -> str:
    text = repr(value).encode(errors="surrogateescape")
    return hashlib.blake2b(text, digest_size=8).hexdigest()
