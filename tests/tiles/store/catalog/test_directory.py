"""The directory of stores: what is found, built, waited for, replaced and removed."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled, TooLarge, Unreadable
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import DatasetSlice
from bigviz.data.open import open as open_dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.catalog.identity import freshness
from bigviz.tiles.store.catalog.parts import parts
from bigviz.tiles.store.files.lock import Lock
from bigviz.tiles.store.files.manifest import FORMAT, NAME
from tests.old_times import give_old_time

from ....patience import PATIENCE


def names(stores: StoreDirectory) -> list[str]:
    return sorted(path.name for path in stores.root.iterdir())


def other_bytes(path: Path) -> None:
    """The same file with other contents and another time."""
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1_000_000))


def test_nothing_is_made_by_looking(stores: StoreDirectory, source: Dataset, spec: OrderSpec):
    assert stores.find(source, spec) is None and stores.entries() == [] and not stores.root.exists()


def test_what_was_built_is_found(directories, source: Dataset, spec: OrderSpec, small, table: Path):
    stores = directories()
    path = stores.build(source, spec, ["fare"])
    assert stores.find(source, spec) == path == stores.build(source, spec) and small.calls == 1
    assert names(stores) == [path.name, f"{path.name}.lock"] and path.name.startswith("trips-")
    assert sorted(each.name for each in path.iterdir()) == ["column-0.arrow", "keys.arrow", NAME, "rows.arrow"]
    later = open_dataset(table, name="another name")
    assert directories().find(later, spec) == path
    (entry,) = stores.entries()
    assert entry.state == "ready" and entry.manifest is not None and entry.path == path and entry.size >= 3 * 1000
    assert entry.manifest.facts == {"rows": 1000, "columns": ["fare"]} and freshness(entry.manifest.of) == "fresh"


def test_another_spec_is_another_store(stores: StoreDirectory, source: Dataset, spec: OrderSpec):
    specs = [spec, OrderSpec("y", "x"), OrderSpec("x", "y", xaxis="log"), OrderSpec("x", "y", root="full")]
    paths = {stores.build(source, each) for each in specs}
    assert len(paths) == 4 and [stores.find(source, each) for each in specs].count(None) == 0


def test_a_part_takes_the_place_of_no_other_part_and_of_no_whole(directories, tmp_path: Path, spec: OrderSpec):
    for number in range(2):
        pq.write_table(pa.table({"x": [1.0, 2.0], "y": [1.0, 5.0]}), tmp_path / f"{number}.parquet")
    whole = open_dataset(str(tmp_path / "*.parquet"))
    made: list[tuple[Dataset, Path]] = []
    for each in (whole, DatasetSlice(whole, 0, 1), DatasetSlice(whole, 1, 2), DatasetSlice(whole, 0, 2)):
        stores = directories()
        made.append((each, stores.build(each, spec)))
        stores.release(made[-1][1])
    assert [directories().find(each, spec) for each, _ in made] == [folder for _, folder in made]
    assert len({folder for _, folder in made}) == 4


def test_tables_in_memory_have_no_store(stores: StoreDirectory, spec: OrderSpec):
    dataset = open_dataset(pa.table({"x": [1.0], "y": [1.0]}))
    assert stores.find(dataset, spec) is None
    with pytest.raises(BadInput, match="in memory"):
        stores.build(dataset, spec)


def test_everything_is_for_this_user_alone(stores: StoreDirectory, source: Dataset, spec: OrderSpec):
    path = stores.build(source, spec)
    stores.add(path, "pyramids", "count", lambda folder, crew: {})
    for folder in (stores.root, path, path / "pyramids", *(path / "pyramids").glob("count-????????????????")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_a_directory_of_the_user_keeps_its_mode(tmp_path: Path, directories, source: Dataset, spec: OrderSpec):
    (tmp_path / "stores").mkdir(mode=0o755)
    path = directories().build(source, spec)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755 and stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_file_that_changed_has_no_store_and_its_old_one_is_replaced(
    directories, source: Dataset, spec: OrderSpec, table: Path, said: list[str]
):
    stores = directories()
    old = stores.build(source, spec)
    other_bytes(table)
    changed = open_dataset(table)
    assert stores.find(changed, spec) is None
    assert freshness(stores.entries()[0].manifest.of) == "stale"
    new = stores.build(changed, spec)
    assert (
        new != old
        and old.exists()
        and said == ["The index of 'trips' is of an older state of the file: it is built again."]
    )
    assert stores.find(source, spec) == old  # a server that opened the file before goes on with it
    stores.close()
    other_bytes(table)
    third = stores.build(open_dataset(table), spec)
    assert [path for path in (old, new, third) if path.exists()] == [third]
    table.unlink()
    assert freshness(stores.entries()[0].manifest.of) == "gone"


def test_a_source_that_changes_while_it_is_read(
    stores: StoreDirectory, source: Dataset, spec: OrderSpec, small, table: Path
):
    small.between = lambda step: other_bytes(table)
    with pytest.raises(Unreadable, match="changed since it was opened"):
        stores.build(source, spec)
    assert not any(name.startswith("trips") and not name.endswith(".lock") for name in names(stores))


def of_format(path: Path, number: int) -> Path:
    """A store as another version would have written it: under another name."""
    body = json.loads((path / NAME).read_text())
    (path / NAME).write_text(json.dumps({**body, "format": number, "check": "whatever it is in that format"}))
    other = path.with_name(path.name[:-1] + ("0" if path.name[-1] != "0" else "1"))
    path.rename(other)
    path.with_name(path.name + ".lock").rename(other.with_name(other.name + ".lock"))
    return other


def test_an_older_format_is_replaced_with_a_message(directories, source: Dataset, spec: OrderSpec, said: list[str]):
    stores = directories()
    path = stores.build(source, spec)
    stores.close()
    old = of_format(path, FORMAT - 1)
    assert stores.find(source, spec) is None and stores.entries()[0].state == "other format"
    assert stores.build(source, spec) == path and not old.exists()
    assert said == ["The index of 'trips' was written by an older bigviz: it is built again."]


def test_a_newer_format_is_left_alone(directories, source: Dataset, spec: OrderSpec, said: list[str]):
    stores = directories()
    path = stores.build(source, spec)
    stores.close()
    newer = of_format(path, FORMAT + 1)
    assert stores.find(source, spec) is None
    assert stores.build(source, spec) == path and newer.exists() and said == []
    assert sorted(entry.state for entry in stores.entries()) == ["other format", "ready"]


@pytest.mark.parametrize("name", [NAME, "keys.arrow"])
def test_a_damaged_store_is_not_used_and_is_built_again(
    directories, source: Dataset, spec: OrderSpec, said: list[str], name: str, small
):
    stores = directories()
    path = stores.build(source, spec)
    stores.close()
    whole = (path / name).read_bytes()
    (path / name).write_bytes(whole[:50] + b"\x00" + whole[51:])
    later = directories()
    assert later.find(source, spec) is None and later.find(source, spec) is None
    assert len(said) == 1 and "An index is not used" in said[0] and later.entries()[0].state == "damaged"
    assert later.build(source, spec) == path and later.find(source, spec) == path and small.calls == 2
    assert "is built again" in said[1] and (path / "keys.arrow").read_bytes() == b"keys.arrow" * 100


def test_a_damaged_store_is_built_again_though_others_use_it(directories, source: Dataset, spec: OrderSpec):
    first, second = directories(), directories()
    path = first.build(source, spec)
    assert second.find(source, spec) == path
    mapped = (path / "keys.arrow").open("rb")
    second.drop(path)
    assert not path.exists() and mapped.read() == b"keys.arrow" * 100
    mapped.close()
    assert second.build(source, spec) == path
    assert first.find(source, spec) == path  # the new one: what it held before is gone
    first.close()
    assert Lock.take(path.with_name(path.name + ".lock"), exclusive=True) is None


def test_a_folder_that_says_it_is_another_is_not_used(directories, source: Dataset, spec: OrderSpec, said: list[str]):
    stores = directories()
    path = stores.build(source, spec)
    other = OrderSpec("y", "x")
    real = stores.build(source, other)
    stores.close()
    stores.drop(real)
    path.rename(real)
    assert stores.find(source, other) is None and "not what its name says" in said[-1]
    assert stores.build(source, other) == real and stores.find(source, other) == real


def test_cancelled_work_is_continued(directories, source: Dataset, spec: OrderSpec, small):
    stores, cancel = directories(), Cancel()
    small.between = lambda step: cancel.cancel() if step == 1 else None
    with pytest.raises(Cancelled):
        stores.build(source, spec, ["fare"], Crew(1, cancel=cancel))
    (entry,) = stores.entries()
    assert entry.state == "unfinished" and entry.manifest is None and entry.size > 0
    assert stores.find(source, spec) is None
    path = directories().build(source, spec, ["fare"])
    assert small.begun_at == [0, 2] and path.exists() and not path.with_name(path.name + ".building").exists()


def test_work_of_another_plan_is_not_continued(directories, source: Dataset, spec: OrderSpec, small):
    stores, cancel = directories(), Cancel()
    small.between = lambda step: cancel.cancel()
    with pytest.raises(Cancelled):
        stores.build(source, spec, [], Crew(1, cancel=cancel))
    stores.build(source, spec, ["fare"])
    assert small.begun_at == [0, 0]


def test_an_error_leaves_nothing(directories, source: Dataset, spec: OrderSpec, small):
    def fail(step: int) -> None:
        raise ZeroDivisionError

    stores, small.between = directories(), fail
    with pytest.raises(ZeroDivisionError):
        stores.build(source, spec)
    assert stores.entries() == [] and [name for name in names(stores) if not name.endswith(".lock")] == []
    small.between = lambda step: None
    assert stores.build(source, spec).exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_of_and_cleaned_up(directories, source: Dataset, spec: OrderSpec, small, code: int):
    def full(step: int) -> None:
        if step == 1:
            raise OSError(code, os.strerror(code))

    stores, small.between = directories(), full
    with pytest.raises(TooLarge, match=r"disk of .* is full: .* --store-dir") as caught:
        stores.build(source, spec)
    assert caught.value.field == "store-dir" and stores.entries() == []
    small.between = lambda step: None
    assert stores.build(source, spec).exists()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_is_told_of(directories, source: Dataset, spec: OrderSpec, small, code: int):
    def refuse(step: int) -> None:
        raise OSError(code, os.strerror(code))

    stores, small.between = directories(), refuse
    with pytest.raises(BadInput, match=r"cannot be used for indexes \(.*\): choose another .* --store-dir") as caught:
        stores.build(source, spec)
    assert caught.value.field == "store-dir" and stores.entries() == []


def test_who_can_do_without_goes_on(directories, source: Dataset, spec: OrderSpec, small, said: list[str]):
    def full(step: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    stores, small.between = directories(), full
    for _ in range(2):
        with stores.refusals():
            stores.build(source, spec)
    with directories(limit=1).refusals():
        directories(limit=1).build(source, spec)
    assert len(said) == 2 and all(each.startswith("No index is kept on the disk: ") for each in said)
    with pytest.raises(BadInput, match="in memory"), stores.refusals():
        stores.build(open_dataset(pa.table({"x": [1.0], "y": [1.0]})), spec)


def test_a_directory_that_is_a_file(tmp_path: Path, directories, source: Dataset, spec: OrderSpec):
    (tmp_path / "stores").write_bytes(b"")
    stores = directories()
    assert stores.find(source, spec) is None and stores.entries() == []
    with pytest.raises(BadInput, match="cannot be used for indexes"):
        stores.build(source, spec)


def test_another_builder_is_waited_for_and_its_progress_told(directories, source: Dataset, spec: OrderSpec, small):
    began, go_on = threading.Event(), threading.Event()

    def wait(step: int) -> None:
        began.set()
        assert go_on.wait(PATIENCE)

    small.between = wait
    told: list[tuple[str, float, int]] = []
    heard = threading.Event()

    def tell(stage: str, done: float, rows: int) -> None:
        told.append((stage, done, rows))
        heard.set()

    paths: list[Path] = []
    first = threading.Thread(target=lambda: paths.append(directories().build(source, spec)))
    first.start()
    assert began.wait(PATIENCE)
    second = threading.Thread(target=lambda: paths.append(directories().build(source, spec, (), Crew(1, tell))))
    second.start()
    assert heard.wait(PATIENCE)
    assert directories().find(source, spec) is None
    go_on.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert len(set(paths)) == 1 and len(paths) == 2 and small.calls == 1
    assert told[0] == (f"ordering rows (process {os.getpid()})", 0.0, 0)


def test_who_waits_can_be_cancelled(directories, source: Dataset, spec: OrderSpec, small):
    stores = directories()
    path = stores.build(source, spec)
    stores.close()
    stores.drop(path)
    lock = Lock.take(path.with_name(path.name + ".lock"), exclusive=True)
    assert lock is not None
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        stores.build(source, spec, (), Crew(1, cancel=cancel))
    lock.release()


def test_parts_are_built_once_and_belong_to_their_store(directories, source: Dataset, spec: OrderSpec):
    stores, calls = directories(), []

    def write(folder: Path, crew: Crew) -> dict[str, object]:
        calls.append(folder)
        (folder / "values.arrow").write_bytes(b"v" * 10)
        return {"dtype": "float64"}

    store = stores.build(source, spec)
    assert stores.part(store, "columns", "a/../b c") is None
    path = stores.add(store, "columns", "a/../b c", write)
    assert path == stores.add(store, "columns", "a/../b c", write) == stores.part(store, "columns", "a/../b c")
    assert path.parent == store / "columns" and path.name.startswith("a-b-c-") and len(calls) == 1
    other = stores.add(store, "columns", "a b c", write)
    assert (
        other != path
        and parts(store, "columns") == {"a/../b c": path, "a b c": other}
        and parts(store, "pyramids") == {}
    )
    another = stores.build(source, OrderSpec("y", "x"))
    (another / "columns").mkdir()
    path.rename(another / "columns" / path.name)
    assert parts(another, "columns") == {} and stores.part(another, "columns", "a/../b c") is None
    (other / "values.arrow").write_bytes(b"w" * 10)
    assert parts(store, "columns") == {}


def test_a_source_rewritten_with_its_old_time(stores: StoreDirectory, spec: OrderSpec, table: Path):
    stores.build(open_dataset(table), spec)
    of = stores.entries()[0].manifest.of
    assert freshness(of) == "fresh"
    times = table.stat()
    data = bytearray(table.read_bytes())
    data[len(data) // 3] ^= 1
    table.write_bytes(data)
    give_old_time(table, times)
    assert freshness(of) == "stale" and stores.find(open_dataset(table), spec) is None
    older = {**of, "files": [each[:3] for each in of["files"]]}
    assert freshness(older) == "fresh", "an index of a version that did not note the time of change"


def test_whose_a_file_is(stores: StoreDirectory):
    root = stores.root
    assert stores.holder(str(root / "a" / "keys.arrow")) == root / "a" == stores.holder(str(root / "a"))
    assert stores.holder(str(root / "a" / "pyramids" / "b" / "planes.bin")) == root / "a" / "pyramids" / "b"
    assert stores.holder(str(root / "a" / "columns" / "b")) == root / "a" / "columns" / "b"
    for other in (root, root.parent / "trips.parquet", "relative"):
        assert stores.holder(str(other)) is None


def test_a_part_of_no_store(stores: StoreDirectory, tmp_path: Path):
    assert stores.part(tmp_path, "columns", "a") is None
    with pytest.raises(Unreadable, match="not a whole store"):
        stores.add(tmp_path, "columns", "a", lambda folder, crew: {})


def test_stores_of_many_files(stores: StoreDirectory, spec: OrderSpec, table: Path, monkeypatch: pytest.MonkeyPatch):
    second = table.with_name("more.parquet")
    second.write_bytes(table.read_bytes())
    both = open_dataset([str(table), str(second)])
    path = stores.build(both, spec)
    assert [os.path.basename(each[0]) for each in stores.entries()[0].manifest.of["files"]] == [
        "trips.parquet",
        "more.parquet",
    ]
    other_bytes(second)
    assert freshness(stores.entries()[0].manifest.of) == "stale"
    assert stores.find(open_dataset([str(table), str(second)]), spec) is None and stores.find(both, spec) == path
