"""Uploaded datasets: files kept once, names with versions, and what goes when nothing names it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from bigviz.common.errors import BadInput, Conflict, Forbidden, NotFound, OutOfDate
from bigviz.library.access import OPERATOR, Caller
from bigviz.library.datasets import DatasetEntry
from bigviz.library.library import Library

COLUMNS = [{"name": "x", "type": "int64"}, {"name": "é", "type": "string"}]
HOUR = 3600.0


def add(library: Library, name: str, content: bytes, **options: Any) -> DatasetEntry:
    given = {"rows": len(content), "columns": COLUMNS, "format": "arrow", "owner": "ann"} | options
    with library.datasets.begin() as upload:
        upload.write(content)
        return library.datasets.add(name, upload, **given)


def kept(library: Library) -> list[str]:
    return sorted(path.name for path in (library.directory / "files").iterdir())


def coming(library: Library) -> list[Path]:
    return list((library.directory / "incoming").iterdir())


def publish(library: Library, name: str, *datasets: str, **options: Any) -> None:
    library.documents.put(name, {"datasets": datasets}, title="", datasets=datasets, author="ann", **options)


def test_a_dataset_is_a_file_under_its_hash(library, clock):
    content = os.urandom(3_000_000)
    digest = hashlib.sha256(content).hexdigest()
    entry = add(library, "trips", content)
    assert entry == DatasetEntry(
        name="trips",
        version=1,
        owner="ann",
        public=False,
        rows=3_000_000,
        bytes=3_000_000,
        columns=tuple(COLUMNS),
        updated=clock.now,
        path=library.directory / "files" / f"{digest}.arrow",
        format="arrow",
        hash=digest,
        attached=False,
    )
    assert entry.path.read_bytes() == content and entry.path.stat().st_mode & 0o777 == 0o600
    assert library.datasets.entry("trips") == library.datasets.find("trips") == entry
    assert library.datasets.page(Caller("ann")) == ([entry], None) and coming(library) == []


def test_equal_content_is_kept_once(library):
    first, second = add(library, "a", b"one"), add(library, "b", b"one", owner="bob")
    assert first.path == second.path and kept(library) == [first.path.name] and coming(library) == []
    library.datasets.delete("a")
    assert library.datasets.collect() == 0 and second.path.read_bytes() == b"one"
    library.datasets.delete("b")
    assert library.datasets.collect() == 1 and kept(library) == []


def test_a_file_that_lost_its_end_is_replaced(library):
    path = add(library, "a", b"content").path
    path.write_bytes(b"cont")
    add(library, "b", b"content")
    assert path.read_bytes() == b"content"


def test_replacing_makes_a_version(library):
    old = add(library, "a", b"one")
    new = add(library, "a", b"two", owner="bob", expect=1)
    assert (new.version, new.owner, new.bytes) == (2, "ann", 3) and old.path.exists()
    assert library.datasets.collect() == 1 and not old.path.exists() and new.path.exists()
    assert add(library, "a", b"two").version == 2  # equal content makes none
    assert add(library, "a", b"two", format="arrows").version == 3
    for expect in (2, "absent"):
        with pytest.raises(OutOfDate, match="at version 3"):
            add(library, "a", b"three", expect=expect)
    assert coming(library) == [] and library.datasets.entry("a").version == 3


def test_a_refused_upload_can_be_added_again(library):
    add(library, "a", b"one")
    with library.datasets.begin() as upload:
        upload.write(b"two")
        upload.close()
        for name, expect in (("a", "absent"), ("b", 1)):
            with pytest.raises(OutOfDate):
                library.datasets.add(name, upload, rows=1, columns=[], format="arrow", owner=None, expect=expect)
        library.datasets.add("b", upload, rows=1, columns=[], format="arrow", owner=None)
    assert library.datasets.entry("b").path.read_bytes() == b"two"


@pytest.mark.parametrize("options", [{"format": "../x"}, {"format": ""}, {"format": "Arrow"}])
def test_a_format_is_an_ending(library, options):
    with pytest.raises(BadInput):
        add(library, "a", b"one", **options)
    assert kept(library) == [] and coming(library) == []


def test_names_are_those_of_documents(library):
    for name in ("", "_", "a/b", "..", " a"):
        with pytest.raises(BadInput):
            add(library, name, b"one")


def test_what_is_not_there(library):
    assert library.datasets.find("a") is None
    for ask in (library.datasets.entry, library.datasets.delete):
        with pytest.raises(NotFound, match="There is no dataset 'a'"):
            ask("a")


def test_a_caller_is_checked_with_the_change(library):
    add(library, "a", b"one")
    library.access.set("dataset", "a", False, {"bob": "writer"})
    with pytest.raises(NotFound):
        add(library, "a", b"two", caller=Caller("carl"))
    with pytest.raises(NotFound):
        library.datasets.delete("a", caller=Caller("carl"))
    with pytest.raises(Forbidden):
        library.datasets.delete("a", caller=Caller("bob"))
    assert add(library, "a", b"two", caller=Caller("bob")).version == 2
    library.datasets.delete("a", caller=OPERATOR)


def test_what_a_document_shows_stays(library):
    add(library, "a", b"one")
    publish(library, "d", "a")
    publish(library, "e", "a", "a")
    with pytest.raises(Conflict, match="2 documents show the dataset 'a'"):
        library.datasets.delete("a")
    publish(library, "d")
    library.documents.delete("e")
    library.datasets.delete("a")  # an old version of d names it
    assert library.documents.get("d", 1).value == {"datasets": ["a"]}
    assert add(library, "a", b"three").version == 2  # numbers go on


def test_attached_ones_go_when_no_version_names_them(library, clock):
    first, second = add(library, "a", b"one", attached=True), add(library, "b", b"two")
    publish(library, "d", "a")
    publish(library, "d")
    clock.now += 2 * HOUR
    assert library.datasets.collect() == 0 and library.datasets.entry("a") == first  # version 1 names it
    publish(library, "d", "b", keep=1)
    assert library.datasets.collect() == 1 and library.datasets.find("a") is None
    library.documents.delete("d")
    assert library.datasets.collect() == 0 and library.datasets.entry("b") == second  # nobody attached it


def test_attached_ones_wait_an_hour_for_their_document(library, clock):
    add(library, "a", b"one", attached=True)
    clock.now += HOUR - 1
    assert library.datasets.collect() == 0
    assert add(library, "a", b"one", attached=True).version == 1  # uploaded again for another document
    clock.now += HOUR - 1
    assert library.datasets.collect() == 0
    clock.now += 1
    assert library.datasets.collect() == 1 and kept(library) == []


def test_a_replaced_one_stays_attached_unless_told_otherwise(library):
    assert add(library, "a", b"one", attached=True).attached
    assert add(library, "a", b"two").attached
    assert not add(library, "a", b"two", attached=False).attached
    assert not add(library, "a", b"three").attached


def test_nobody_attaches_what_was_not(library):
    add(library, "a", b"one")
    assert not add(library, "a", b"one", attached=True).attached  # who may write to it may not have it collected
    assert not add(library, "a", b"two", attached=True).attached


def test_only_what_is_its_own_is_collected(library):
    strangers = [
        library.directory / "files" / "README",
        library.directory / "incoming" / "notes.txt",
        library.directory / "files" / "folder",
    ]
    for path in strangers[:2]:
        path.write_text("mine")
    strangers[2].mkdir()
    (library.directory / "files" / f"{'0' * 64}.arrow").write_text("an orphan")
    (library.directory / "incoming" / "0123456789ab").write_text("a left-over")
    with library.datasets.begin() as upload:
        upload.write(b"one")
        assert library.datasets.collect() == 2
        assert all(path.exists() for path in (*strangers, upload.path))
        library.datasets.add("a", upload, rows=1, columns=[], format="arrow", owner=None)
