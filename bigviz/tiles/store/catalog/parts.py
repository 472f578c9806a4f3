"""What is added to a finished store: columns in its order and pyramids over it, each a folder with its own manifest."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Literal

from bigviz.common.errors import Unreadable
from bigviz.tiles.store.files.manifest import read_manifest

__all__ = ["PARTS", "PartKind", "part_folder", "part_of", "parts"]

PartKind = Literal["columns", "pyramids"]
PARTS: tuple[PartKind, ...] = ("columns", "pyramids")


def part_folder(store: Path, kind: PartKind, key: str) -> Path:
    """The folder of the part `key` (a column's name, a reduction's text): a plain name, whatever the key is."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", key).strip("-")[:40] or "part"
    return store / kind / f"{plain}-{hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"


def part_of(store: Path, key: str) -> dict[str, Any]:
    """What a part's manifest says it is of: its key, and the store by its manifest's checksum.

    Raises Unreadable for a store that is not whole.
    """
    manifest = read_manifest(store, files=False)
    if manifest is None:
        raise Unreadable(f"{store} is not a whole store.", got=str(store))
    return {"key": key, "store": manifest.check}


def parts(store: Path, kind: PartKind) -> dict[str, Path]:
    """The whole parts of a store by their keys; those that are damaged or of another store are left out."""
    found = {}
    folder = store / kind
    for child in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            manifest = read_manifest(child) if child.is_dir() else None
        except Unreadable:
            continue
        key = "" if manifest is None else str(manifest.of.get("key"))
        if manifest is not None and child == part_folder(store, kind, key) and manifest.of == part_of(store, key):
            found[key] = child
    return found
