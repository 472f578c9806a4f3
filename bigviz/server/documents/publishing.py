"""Putting documents and datasets into the library for one caller: checked as a whole before anything is kept."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, Forbidden, NoSpace, OutOfDate, TooLarge
from bigviz.document.json import from_json
from bigviz.document.json_values import parse_json
from bigviz.document.names import check_name
from bigviz.server.documents.binding import bound

if TYPE_CHECKING:
    from bigviz.data.appending.rule import Rule
    from bigviz.data.dataset import Dataset
    from bigviz.data.uploads.facts import Format
    from bigviz.data.uploads.validator import Validator
    from bigviz.document.spec import Document
    from bigviz.library.access import Caller
    from bigviz.library.datasets import DatasetEntry
    from bigviz.library.documents import Put
    from bigviz.library.items import Expect
    from bigviz.library.library import Library
    from bigviz.library.uploads import Upload
    from bigviz.server.documents.quota import Quota
    from bigviz.server.documents.tables import Tables

__all__ = ["begin_upload", "check_append", "expected_dataset", "keep_dataset", "publish", "restore", "write"]

_MOST_VALUES: Final = 200_000  # in a document's JSON: Python reads it in one go, and nothing else runs meanwhile
_LEFT_FREE: Final = 64 << 20  # bytes: the database needs some of them


def publish(tables: Tables, quota: Quota, name: str, body: bytes, caller: Caller, expect: Expect, keep: int) -> Put:
    """Make the JSON in `body` the current version of a document. Blocks.

    The document gets `name` for its id. Its datasets have to be there, and the caller has to be a viewer of each, owner
    if the document gives out rows; so does the document's owner, if that is somebody else. Raises BadInput for JSON
    that is no document, TooLarge for very much of it, NoSpace beyond the owner's quota, Unusable and Forbidden for
    datasets, and what `Documents.put` does.
    """
    check_name(name)
    _check_values(body)
    value = parse_json(body)
    if not isinstance(value, dict):
        raise BadInput(f"A document is a JSON object, got {echoed(value, 60)}.", "body")
    value = {**value, "id": name}
    document = from_json(value)
    entry = tables.library.documents.find(name)
    owner = caller.user if entry is None else entry.owner
    _check_room(tables.library, len(body))
    quota.check(owner, len(body), documents=int(entry is None))
    others = (tables.owner(owner),) if owner is None or owner != caller.user else ()
    uploaded = _check_datasets(tables, document, caller, *others)
    return tables.library.documents.put(
        name,
        value,
        title=document.title,
        datasets=document.datasets,
        author=caller.user,
        expect=expect,
        keep=keep,
        caller=caller,
        uploaded=uploaded,
    )


def restore(tables: Tables, quota: Quota, name: str, version: int, caller: Caller, expect: Expect, keep: int) -> Put:
    """Make a new version of a document that is as an old one was, if its datasets still are what it needs. Blocks.
    Raises what `publish` and `Documents.restore` do."""
    stored = tables.library.documents.get(name, version)
    document = from_json(stored.value)
    owner = tables.owner(tables.library.documents.entry(name).owner)
    _check_room(tables.library, stored.nbytes)
    quota.check(owner.user, stored.nbytes)
    uploaded = _check_datasets(tables, document, caller, owner)
    return tables.library.documents.restore(
        name, version, caller.user, expect=expect, keep=keep, caller=caller, uploaded=uploaded
    )


def _check_values(body: bytes) -> None:
    """Raise TooLarge for JSON of very many values, counted by what stands between them."""
    found = sum(map(body.count, (b",", b"[", b"{")))
    if found > _MOST_VALUES:
        raise TooLarge(
            f"A document's JSON has at most {_MOST_VALUES:,} commas and opening brackets, got {found:,}: keep rows in "
            "datasets.",
            "body",
            found,
        )


def _check_datasets(tables: Tables, document: Document, *callers: Caller) -> Collection[str]:
    """What a document needs of its datasets, as each of the callers may use them; the names of those in the library.

    The document is bound once where all see the same tables, as they do unless one is replaced meanwhile.
    """
    seen: Mapping[str, Dataset] | None = None
    uploaded = set[str]()
    for caller in callers:
        sources, versions = tables.sources(document.datasets, caller)
        if sources != seen:
            bound(document, sources)
        seen = sources
        uploaded.update(versions)
        for name in versions if document.rows else ():
            if tables.role(name, caller) != "owner":
                raise Forbidden(
                    f"rows: true gives out rows of dataset {name!r}, and only its owner may do that.", "rows", name
                )
    return uploaded


def expected_dataset(library: Library, name: str, expect: Expect) -> int | Literal["absent"]:
    """The version that an upload takes the place of. A dataset that is there is replaced only where the client says
    which version it knows: else OutOfDate, so that nobody's rows are lost by accident."""
    check_name(name)
    entry = library.datasets.find(name)
    version = None if entry is None else entry.version
    if expect == ("absent" if version is None else version) or (expect is None and version is None):
        return "absent" if version is None else version
    there = "there is none" if version is None else f"it is at version {version}"
    how = f'send If-Match: "{version}" to replace it' if version is not None else "send If-None-Match: *"
    raise OutOfDate(f"Dataset {name!r}: {there}; {how}.", "If-Match", expect, version)


def begin_upload(library: Library, quota: Quota, name: str, caller: Caller, size: int) -> Upload:
    """A file for so many bytes (0: unknown) of a dataset; NoSpace where the disk has less, or its owner may not keep
    them."""
    _check_room(library, size)
    _check_quota(library, quota, name, caller.user, max(1, size))
    return library.datasets.begin()


def check_append(library: Library, quota: Quota, name: str, size: int) -> None:
    """Raise NoSpace where the disk has no room for so many more bytes of a dataset, or its owner may not keep them:
    as for uploads, the database keeps some room, so that people can sign in and delete. Blocks."""
    _check_room(library, size)
    entry = library.datasets.find(name)
    if entry is not None:
        quota.check(entry.owner, size)


def _check_quota(library: Library, quota: Quota, name: str, maker: str | None, size: int) -> None:
    """The same for a file that a new dataset gets, `maker`'s, or one that is there in place of what it has."""
    entry = library.datasets.find(name)
    if entry is None:
        quota.check(maker, size)
    else:
        quota.check(entry.owner, size, freed=entry.bytes)


def write(library: Library, upload: Upload, piece: bytes | bytearray) -> None:
    """Put bytes at the end of an upload. NoSpace, also before the disk is quite full: others upload at the same time,
    and the database needs some room. Blocks."""
    _check_room(library, len(piece))
    upload.write(piece)


def _check_room(library: Library, size: int) -> None:
    if shutil.disk_usage(library.directory).free < size + _LEFT_FREE:
        raise NoSpace(f"The library's disk has no room for {size:,} bytes.", "body", size)


def keep_dataset(
    library: Library,
    quota: Quota,
    validator: Validator,
    name: str,
    upload: Upload,
    rest: bytes | bytearray,
    format: Format,
    caller: Caller,
    expect: Expect,
    attached: bool | None,
    order_by: str | None = None,
    rollover: Rule | None = None,
) -> DatasetEntry:
    """Write the `rest` of an upload, check the file, and make it the current version of a dataset, or remove it.
    Blocks. Raises what `Validator.check` and `Datasets.add` do."""
    with upload:
        check_name(name)
        write(library, upload, rest)
        upload.close()
        _check_quota(library, quota, name, caller.user, upload.path.stat().st_size)
        facts = validator.check(upload.path, format)
        columns: list[dict[str, Any]] = [{"name": name, "type": kind} for name, kind in facts.columns]
        return library.datasets.add(
            name,
            upload,
            rows=facts.rows,
            columns=columns,
            format=facts.format,
            owner=caller.user,
            expect=expect,
            attached=attached,
            caller=caller,
            order_by=order_by,
            rollover=rollover,
        )
