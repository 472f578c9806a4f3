"""Manifests: what is accepted, and what is not."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import Unreadable
from bigviz.tiles.store.files import manifest as module
from bigviz.tiles.store.files.manifest import FORMAT, NAME, OtherFormat, loosely, read_manifest, seal


def signed(body: dict[str, Any]) -> str:
    """A manifest's text with the checksum that docs/store.md says."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return json.dumps({**body, "check": hashlib.blake2b(text.encode(), digest_size=16).hexdigest()})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "store"
    made.mkdir(mode=0o700)
    (made / "keys.arrow").write_bytes(b"k" * 100)
    (made / "rows.arrow").write_bytes(b"r" * 50)
    seal(made, "order", {"fingerprint": "f", "identity": "i"}, {"rows": 3}, 12.5)
    return made


@pytest.fixture
def change(folder: Path) -> Callable[[Callable[[dict[str, Any]], None]], None]:
    """`change(how)`: another manifest, with a sum that fits."""

    def changed(how: Callable[[dict[str, Any]], None]) -> None:
        body = json.loads((folder / NAME).read_text())
        del body["check"]
        how(body)
        (folder / NAME).write_text(signed(body))

    return changed


def files(body: dict[str, Any]) -> dict[str, Any]:
    return body["segments"][0]["files"]


def test_what_was_sealed_is_read(folder: Path):
    found = read_manifest(folder)
    assert found is not None
    assert (found.kind, found.of["fingerprint"], found.facts, found.written) == ("order", "f", {"rows": 3}, 12.5)
    assert {name: each.size for name, each in found.files.items()} == {"keys.arrow": 100, "rows.arrow": 50}
    assert found.size == 150 and loosely(folder) == (FORMAT, "i", "f")
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    body = json.loads((folder / NAME).read_text())
    check = body.pop("check")
    assert json.loads(signed(body))["check"] == check == found.check


def test_none_without_a_manifest(tmp_path: Path):
    assert read_manifest(tmp_path / "nowhere") is None and read_manifest(tmp_path) is None
    assert loosely(tmp_path) is None


def test_every_byte_of_a_small_store_counts(folder: Path):
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            try:
                found = read_manifest(folder)
            except Unreadable:
                continue
            finally:
                path.write_bytes(whole)
            # Only bytes that JSON does not mind may differ: a space for a newline, say.
            assert path.name == NAME and found == read_manifest(folder)


@given(
    text=st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str).map(str.encode)
)
def test_no_text_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, text: bytes):
    folder = tmp_path_factory.mktemp("store")
    (folder / NAME).write_bytes(text)
    with pytest.raises(Unreadable, match="damaged"):
        read_manifest(folder)
    assert loosely(folder) is None


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"null", b'{"check": 1}', b"[" * 100_000, b'{"format": 1e999}'])
def test_texts_that_are_no_manifest(folder: Path, text: bytes):
    (folder / NAME).write_bytes(text)
    with pytest.raises(Unreadable, match="damaged"):
        read_manifest(folder)
    assert loosely(folder) is None


@pytest.mark.parametrize(
    "name",
    ["../keys.arrow", "/etc/passwd", "a/b", "..", ".", "", ".hidden", "a\x00b", "a b", "a\nb", NAME, "x" * 300, "ü"],
)
def test_only_bare_names_are_followed(folder: Path, change: Callable[..., None], name: str):
    change(lambda body: files(body).update({name: {"size": 100, "check": None}}))
    with pytest.raises(Unreadable, match="it names the file"):
        read_manifest(folder)


@pytest.mark.parametrize(
    "how",
    [
        lambda body: body.update(segments=[]),
        lambda body: body.update(segments=body["segments"] * 2),
        lambda body: body.update(segments=None),
        lambda body: body.update(written="yesterday"),
        lambda body: body.pop("of"),
        lambda body: body.pop("format"),
        lambda body: files(body).update({"keys.arrow": None}),
        lambda body: files(body).update({"keys.arrow": {"size": "many", "check": None}}),
        lambda body: body["segments"][0].update(files=[]),
        lambda body: files(body).update({"keys.arrow": {"size": 1e999, "check": None}}),
    ],
)
def test_other_forms_with_a_sum_that_fits(folder: Path, change: Callable[..., None], how: Callable[..., None]):
    change(how)
    with pytest.raises(Unreadable, match="damaged"):
        read_manifest(folder)


@pytest.mark.parametrize("number", [0, 1, FORMAT + 1, str(FORMAT), None, FORMAT + 0.5, True])
def test_other_formats(folder: Path, change: Callable[..., None], number: object):
    change(lambda body: body.update(format=number))
    with pytest.raises(OtherFormat, match=f"this bigviz reads {FORMAT}") as caught:
        read_manifest(folder)
    assert caught.value.got == number


def test_files_that_are_missing_longer_shorter_or_no_files(folder: Path):
    path = folder / "keys.arrow"
    whole = path.read_bytes()
    for other in (whole[:-1], whole + b"k", b""):
        path.write_bytes(other)
        with pytest.raises(Unreadable, match=r"keys\.arrow has .* bytes and had 100"):
            read_manifest(folder)
        assert read_manifest(folder, files=False) is not None
    path.unlink()
    with pytest.raises(Unreadable, match=r"keys\.arrow cannot be read: no such file"):
        read_manifest(folder)
    path.mkdir()
    with pytest.raises(Unreadable, match="not what bigviz wrote"):
        read_manifest(folder)
    path.rmdir()
    elsewhere = folder.parent / "elsewhere"
    elsewhere.write_bytes(whole)
    path.symlink_to(elsewhere)
    with pytest.raises(Unreadable, match="not what bigviz wrote"):
        read_manifest(folder)


def test_large_files_are_compared_by_size(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_WHOLE", 60)
    seal(folder, "order", {}, {}, 0.0)
    found = read_manifest(folder)
    assert found is not None and found.files["keys.arrow"].check is None and found.files["rows.arrow"].check is not None
    (folder / "keys.arrow").write_bytes(b"x" * 100)
    assert read_manifest(folder) is not None


def test_folders_and_files_of_others_are_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch):
    folder.chmod(0o770)
    with pytest.raises(Unreadable, match="can be written to by others"):
        read_manifest(folder)
    folder.chmod(0o700)
    link = folder.parent / "link"
    link.symlink_to(folder)
    with pytest.raises(Unreadable, match="not what bigviz wrote"):
        read_manifest(link)
    status = os.stat(folder)
    if status.st_uid == 0:
        os.chown(folder, 12345, -1)
        with pytest.raises(Unreadable, match="another user"):
            read_manifest(folder)
    else:
        monkeypatch.setattr(module.os, "geteuid", lambda: status.st_uid + 1)
        with pytest.raises(Unreadable, match="another user"):
            read_manifest(folder)


def test_a_folder_with_other_things_in_it_is_not_sealed(folder: Path):
    (folder / ".hidden").write_bytes(b"")
    with pytest.raises(ValueError, match="plain names"):
        seal(folder, "order", {}, {}, 0.0)
