"""From an address to the files of one table: an object, a directory of them, or a glob, as `find_files` for paths."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from bigviz.common.did_you_mean import listing
from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.formats.sniff import DATA_SUFFIXES, suffix_of
from bigviz.data.paths import Files, glob_head, require_few, stem
from bigviz.data.remote.address import Address, address_of
from bigviz.data.remote.facts import Facts
from bigviz.data.remote.object_file import ObjectFile
from bigviz.data.remote.settings import delta_options
from bigviz.data.remote.stores import bucket_of
from bigviz.data.table_formats.delta import LOG, delta_files
from bigviz.data.table_formats.iceberg import IN_CATALOG, METADATA, iceberg_files, newest_metadata
from bigviz.data.table_formats.membership import FOLDERS, note_or_refuse, tables_of_keys
from bigviz.data.walk import hidden

__all__ = ["find_objects"]


def find_objects(source: str) -> Files:
    """The files at an address, in the order of their keys. Hidden names are left out, as of paths.

    Raises `NotFound`, `BadInput`, `Unreadable`, and `TooLarge` beyond 100,000 files.
    """
    address = address_of(source)
    if address.on_web:
        return _on_web(source, address)
    if address.scheme == IN_CATALOG or address.key.endswith(METADATA):
        folder = address.key.rpartition("/")[0].removesuffix("/metadata")
        name = (address.key if address.scheme == IN_CATALOG else folder).rpartition("/")[2]
        return iceberg_files(address.shown, address.shown, name.rpartition(".")[2] or _bucket(address))
    if glob.has_magic(address.key):
        return _in_glob(address)
    if address.key and not address.key.endswith("/"):
        try:
            return _one(ObjectFile.first_seen(address))
        except NotFound:
            pass  # a directory has no object of its own
    return _in_directory(address)


def _on_web(source: str, address: Address) -> Files:
    path = urlsplit(address.shown).path
    if "*" in path:
        raise BadInput(
            f"{address.shown} is a pattern, and an HTTP server has no lists of its files: name each of them.",
            field="source",
            got=address.shown,
        )
    name = unquote(path.rstrip("/").rpartition("/")[2]) or "table"
    return Files((source,), (name,), stem(name), known={source: ObjectFile.first_seen(address)})


def _one(file: ObjectFile) -> Files:
    name = PurePosixPath(file.address.key).name
    return Files((file.path,), (name,), stem(name), known={file.path: file})


def _in_directory(address: Address) -> Files:
    base = address.key.rstrip("/")
    objects = bucket_of(address).below(address)
    if any(_relative(each.key, base).startswith(f"{LOG}/") for each in objects):
        return _in_delta(address, objects, base)
    metadata = f"{base}/metadata/".lstrip("/")
    names = [each.key.removeprefix(metadata) for each in objects if each.key.startswith(metadata)]
    if any(name.endswith(METADATA) for name in names):
        root = address.within(base).shown
        name = base.rpartition("/")[2] or _bucket(address)
        return iceberg_files(f"{root}/metadata/{newest_metadata(names, root)}", root, name)
    below = _visible(objects, base)
    found = [each for each in below if suffix_of(each.key) in DATA_SUFFIXES]
    _note(address, base, found, (each.key for each in objects), all_of_them=True)
    if not found:
        holds = listing([each.key.rpartition("/")[2] for each in below]) if below else "nothing"
        raise NotFound(
            f"There is no data file at or below {address.shown} (it holds {holds}). Expected names ending in "
            f"{', '.join(sorted(DATA_SUFFIXES))}; give the address of an object to open it whatever its name is.",
            field="source",
            got=address.shown,
        )
    return _files(address, found, base, base.rpartition("/")[2] or _bucket(address))


def _in_delta(address: Address, objects: Sequence[Facts], base: str) -> Files:
    """The files of a Delta table, with what the list of its directory says of each."""
    root = address.within(base)
    found = delta_files(root.shown, root.shown, base.rpartition("/")[2] or _bucket(address), delta_options())
    listed = {address.within(each.key).shown: each for each in objects}
    lost = next((path for path in found.paths if path not in listed), None)
    if lost is not None:
        raise NotFound(f"The log of {root.shown} names {lost}, which is not there.", "source", root.shown)
    known = {path: ObjectFile.listed(address.within(listed[path].key), listed[path]) for path in found.paths}
    return replace(found, known=known)


def _in_glob(address: Address) -> Files:
    steps = address.key.split("/")
    fixed = next(number for number, step in enumerate(steps) if glob.has_magic(step))
    base = "/".join(steps[:fixed])
    seen: list[str] = []
    if "**" in steps:
        objects = bucket_of(address).below(address.within(base))
        seen += (each.key for each in objects)
        below = _visible(objects, base)
        found = [each for each in below if _fits(steps[fixed:], _relative(each.key, base).split("/"))]
    else:
        found = list(_expanded(address.within(base), steps[fixed:], seen))
    found = [each for each in found if _is_meant(each.key, address.key)]
    if not found:
        raise NotFound(
            f"No object matches {address.shown}. Quote the pattern, and check what is before it.",
            field="source",
            got=address.shown,
        )
    head = glob_head(steps[-1]) if glob.has_magic(steps[-1]) else ""
    name = head or (steps[fixed - 1] if fixed else _bucket(address))
    note = _note(address, base, found, seen, all_of_them=False)
    return _files(address, found, base, name, () if note is None else (note,))


def _expanded(base: Address, steps: Sequence[str], seen: list[str]) -> Iterator[Facts]:
    """The objects that a pattern without `**` means; a directory that matches it stands for the tables below it. To
    `seen` go keys on the way that tell of tables."""
    step, rest = steps[0], steps[1:]
    folders, objects = bucket_of(base).level(base)
    seen += (f"{folder.rstrip('/')}/." for folder in folders)
    if (inner := f"{base.key}/metadata".lstrip("/")) in (folder.rstrip("/") for folder in folders):
        seen += (each.key for each in bucket_of(base).some_below(base.within(inner)))
    for folder in sorted(folders):
        key = folder.rstrip("/")
        if not _matches(key.rpartition("/")[2], step):
            continue
        inside = base.within(key)
        if rest:
            yield from _expanded(inside, rest, seen)
        else:
            objects_of = bucket_of(base).below(inside)
            seen += (each.key for each in objects_of)
            below = _visible(objects_of, key)
            yield from (each for each in below if suffix_of(each.key) in DATA_SUFFIXES)
    if not rest:
        yield from (each for each in objects if _matches(each.key.rpartition("/")[2], step))


def _note(address: Address, base: str, found: Iterable[Facts], seen: Iterable[str], all_of_them: bool) -> str | None:
    """`note_or_refuse` for what was found below a directory, where `seen` are keys that tell of tables."""
    tables = tables_of_keys((*seen, *_seen_above(address, base)))
    around = {root for root in tables if _is_within(base, root)}
    folders = {each.key.rpartition("/")[0] for each in found}
    below = {root for root in tables.keys() - around if any(_is_within(folder, root) for folder in folders)}

    def shown(roots: Iterable[str]) -> dict[str, str]:
        return {address.within(root).shown: tables[root] for root in roots}

    return note_or_refuse(address.shown, shown(below), shown(around), all_of_them)


def _seen_above(address: Address, base: str) -> Iterator[str]:
    """Keys that tell whether the directories above one are tables. Who may not list those does not hear of it."""
    above = base.split("/")[:-1] if base else []
    for at in range(len(above) + 1 if base else 0):
        for folder in FOLDERS:
            with suppress(Unreadable, NotFound):
                key = "/".join((*above[:at], folder))
                yield from (each.key for each in bucket_of(address).some_below(address.within(key)))


def _is_within(key: str, root: str) -> bool:
    return not root or key == root or key.startswith(f"{root}/")


def _fits(steps: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the parts of a key match the steps of a pattern; `**` stands for any number of parts."""
    if not steps:
        return not parts
    if steps[0] == "**":
        return any(_fits(steps[1:], parts[count:]) for count in range(len(parts) + 1))
    return bool(parts) and _matches(parts[0], steps[0]) and _fits(steps[1:], parts[1:])


def _matches(name: str, step: str) -> bool:
    """Wildcards pass over hidden names."""
    return fnmatchcase(name, step) and (step[:1] in (".", "_") or not glob.has_magic(step) or not hidden(name))


def _is_meant(key: str, pattern: str) -> bool:
    """A pattern that ends in `*` means data files, any other what it says; none means hidden files."""
    named = suffix_of(key) in DATA_SUFFIXES or not pattern.endswith("*")
    return named and not hidden(key.rpartition("/")[2])


def _visible(objects: Sequence[Facts], base: str) -> list[Facts]:
    """Those of which no part of the key below `base` is hidden."""
    return [each for each in objects if not any(map(hidden, _relative(each.key, base).split("/")))]


def _relative(key: str, base: str) -> str:
    return key[len(base) + 1 :] if base else key


def _bucket(address: Address) -> str:
    return address.root.rpartition("/")[2].partition("@")[0]


def _files(address: Address, found: Sequence[Facts], base: str, name: str, notes: tuple[str, ...] = ()) -> Files:
    require_few(len(found), address.shown)
    files = [ObjectFile.listed(address.within(each.key), each) for each in sorted(found, key=lambda each: each.key)]
    relative = tuple(_relative(each.address.key, base) for each in files)
    paths = tuple(each.path for each in files)
    return Files(paths, relative, name, notes, known=dict(zip(paths, files, strict=True)))
