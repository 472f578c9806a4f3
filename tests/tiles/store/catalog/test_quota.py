"""How much stores take: what goes first, and what never goes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled, TooLarge
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog import quota as module
from bigviz.tiles.store.catalog.atomic_build import aside_of, lock_of
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.catalog.expected_size import expected_size
from bigviz.tiles.store.catalog.identity import folder_name
from bigviz.tiles.store.catalog.quota import bytes_of, default_root, drop_unused, make_room, units
from bigviz.tiles.store.files.lock import Lock

KB = 1 << 10


def made(root: Path, name: str, used: float, size: int = 64 * KB, whole: bool = True) -> Path:
    """Something like a store, of a size and last used at a time."""
    folder = root / name
    at = folder if whole else aside_of(folder)
    at.mkdir(parents=True)
    (at / "keys.arrow").write_bytes(os.urandom(size))
    lock_of(folder).touch()
    os.utime(lock_of(folder), (used, used))
    return folder


def left(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def test_the_least_recently_used_goes_first(tmp_path: Path):
    for name, used in (("b", 2), ("a", 3), ("c", 1), ("d", 4)):
        made(tmp_path, name, used)
    assert [unit.folder.name for unit in units(tmp_path)] == ["c", "b", "a", "d"]
    make_room(tmp_path, 64 * KB, 256 * KB)
    assert left(tmp_path) == ["a", "b", "d"]
    make_room(tmp_path, 192 * KB, 256 * KB)
    assert left(tmp_path) == ["d"] and sorted(path.name for path in tmp_path.iterdir()) == ["d", "d.lock"]


def test_what_is_in_use_stays_and_what_is_left_half_built_goes(tmp_path: Path):
    made(tmp_path, "used", 1)
    made(tmp_path, "half", 2, whole=False)
    made(tmp_path, "built", 0, whole=False)
    held = [
        Lock.take(lock_of(tmp_path / "used"), exclusive=False),
        Lock.take(lock_of(tmp_path / "built"), exclusive=True),
    ]
    make_room(tmp_path, 64 * KB, 192 * KB)
    assert left(tmp_path) == ["built.building", "used"]
    with pytest.raises(TooLarge, match=r"indexes that are in use take .* --store-limit") as caught:
        make_room(tmp_path, 65 * KB, 192 * KB)
    assert caught.value.field == "store-limit" and left(tmp_path) == ["built.building", "used"]
    for lock in held:
        assert lock is not None
        lock.release()


def test_parts_go_by_themselves(tmp_path: Path):
    store = made(tmp_path, "store", 5)
    made(store / "pyramids", "old", 1)
    made(store / "pyramids", "new", 3)
    made(store / "columns", "half", 2, whole=False)
    assert [unit.folder.name for unit in units(tmp_path)] == ["old", "half", "new", "store"]
    held = Lock.take(lock_of(store), exclusive=False)
    make_room(tmp_path, 64 * KB, 192 * KB)
    assert left(store / "pyramids") == ["new"] and left(store / "columns") == []
    assert held is not None
    held.release()


def test_a_store_whose_parts_went_before_frees_only_the_rest(tmp_path: Path):
    first = made(tmp_path, "first", 2)
    made(first / "pyramids", "part", 1, 256 * KB)
    for name, used in (("second", 3), ("third", 4), ("fourth", 5)):
        made(tmp_path, name, used)
    make_room(tmp_path, 64 * KB, 192 * KB)
    assert left(tmp_path) == ["fourth", "third"]


def test_what_takes_more_than_was_expected_is_told_of(directories, source: Dataset, spec: OrderSpec, said: list[str]):
    stores = directories(limit=60 * KB)
    unused = stores.build(source, spec)
    stores.release(unused)
    weight = os.urandom(64 * KB)
    path = stores.build(source, OrderSpec("y", "x"))
    assert unused.exists() and said == []
    stores.add(path, "columns", "c", lambda folder, crew: (folder / "c.arrow").write_bytes(weight) and {})
    assert path.exists() and not unused.exists()
    assert said == [f"The indexes in {stores.root} that are in use take more than --store-limit allows."]


def test_more_than_the_limit_removes_nothing(tmp_path: Path):
    made(tmp_path, "a", 1)
    with pytest.raises(TooLarge, match=r"at least 0\.30 GB, and indexes in .* may take 0\.20 GB"):
        make_room(tmp_path, 300_000_000, 200_000_000)
    assert left(tmp_path) == ["a"]


def test_more_than_the_disk_has(tmp_path: Path):
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(TooLarge, match=r"the disk of .* free: make room"):
        make_room(tmp_path, 2 * free, 1 << 60)


def test_a_quarter_of_what_would_be_free_without_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made(tmp_path, "a", 1, 512 * KB)
    usage = shutil.disk_usage(tmp_path)._replace(free=3584 * KB)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage)
    make_room(tmp_path, 500 * KB, None)
    assert left(tmp_path) == ["a"]
    make_room(tmp_path, 1000 * KB, None)
    assert left(tmp_path) == []
    with pytest.raises(TooLarge, match="--store-limit"):
        make_room(tmp_path, 1025 * KB, None)


def test_what_is_not_ours_is_neither_counted_nor_removed(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"c" * 100 * KB)
    (tmp_path / "notes.txt").write_bytes(b"n" * 100 * KB)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    lock_of(tmp_path / "link").touch()
    assert units(tmp_path) == [] and units(tmp_path / "nowhere") == []
    make_room(tmp_path, 10 * KB, 20 * KB)
    assert left(tmp_path) == ["elsewhere", "link", "photos"] and (tmp_path / "notes.txt").exists()


def test_bytes_are_those_on_the_disk(tmp_path: Path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"a" * 64 * KB)
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1 << 30)
    assert 64 * KB <= bytes_of(tmp_path) < 128 * KB and bytes_of(tmp_path / "nowhere") == 0


def test_dropping_what_is_gone_already(tmp_path: Path):
    assert drop_unused(tmp_path / "a") and not drop_unused(tmp_path / "b" / "c") and list(tmp_path.iterdir()) == []


def test_a_store_in_use_survives_the_building_of_others(directories, source: Dataset, spec: OrderSpec):
    size = 1 << 20
    stores = directories(limit=size)
    first = stores.build(source, spec)
    (first / "columns").mkdir()
    (first / "columns" / "weight").write_bytes(os.urandom(size - 100 * KB))
    second = stores.build(source, OrderSpec("y", "x"))
    with pytest.raises(TooLarge, match="in use"):
        stores.add(first, "columns", "c", lambda folder, crew: {}, expected=size // 2)
    stores.release(second)
    third = stores.build(source, OrderSpec("x", "y", root="full"))
    stores.release(first)
    assert first.exists() and second.exists() and third.exists()
    stores.add(third, "pyramids", "count", lambda folder, crew: {}, expected=size // 2)
    assert not first.exists() and third.exists()


def test_removals_that_were_interrupted_are_finished(stores, source: Dataset, spec: OrderSpec):
    trash = stores.root / ".trash-a-1-2"
    trash.mkdir(parents=True)
    (trash / "keys.arrow").write_bytes(b"k")
    assert stores.entries() == []
    stores.build(source, spec)
    assert not trash.exists()


def test_what_is_left_half_built_counts_as_begun(directories, source: Dataset, spec: OrderSpec, small):
    cancel = Cancel()
    small.between = lambda step: cancel.cancel() if step == 1 else None
    with pytest.raises(Cancelled):
        directories().build(source, spec, [], Crew(1, cancel=cancel))
    (aside_of(directories().root / folder_name(source, spec)) / "weight.arrow").write_bytes(b"w" * 100 * KB)
    assert directories(limit=expected_size(source, spec, ()).total - 1).build(source, spec).exists()


def test_all_that_is_free_where_an_index_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made(tmp_path, "a", 1, 512 * KB)
    usage = shutil.disk_usage(tmp_path)._replace(free=3584 * KB)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage)
    make_room(tmp_path, 3500 * KB, None, share=1)
    assert left(tmp_path) == ["a"]
    with pytest.raises(TooLarge, match=r"^The whole, and indexes in .* may take 0\.00 GB"):
        make_room(tmp_path, 4200 * KB, None, share=1, what="The whole")
    assert left(tmp_path) == ["a"]


def test_the_default_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root() == tmp_path / "bigviz"
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert default_root() == Path.home() / ".cache" / "bigviz"


def test_a_user_without_a_name_and_a_home_is_asked_for_a_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)  # which no system has a name for
    with pytest.raises(BadInput, match=r"no home directory .* --store-dir"):
        default_root()
    assert StoreDirectory(tmp_path).root == tmp_path
