"""An append log against a list: what was acknowledged is there, in order and once, whatever is cut off or fails."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bigviz.common.errors import Busy, Conflict, NoSpace, Unreadable
from bigviz.data.appending.keys import Receipt, body_digest, key_digest
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.records import HEAD, NO_KEY
from bigviz.data.appending.refusals import KeyReused, NoSuchRow
from bigviz.data.appending.rule import Rule
from bigviz.data.appending.snapshot import Snapshot
from bigviz.data.appending.source import AppendedSource, LogTable
from bigviz.data.dataset import Dataset
from bigviz.data.patches.corrections import Patch

SCHEMA = pa.schema([("x", pa.int64()), ("kind", pa.string())])
OWN = pa.schema([("x", pa.int64()), ("kind", pa.dictionary(pa.int8(), pa.string()))])
NOW = 1_700_000_000 * 10**9
SECOND = 10**9
DAY = 86_400 * SECOND
KINDS = ("a", "b", "c")


def entry(values: list[int], key: str | None = None) -> Entry:
    batch = pa.record_batch({"x": values, "kind": [KINDS[each % 3] for each in values]}, schema=SCHEMA)
    payload = batch.serialize().to_pybytes()
    if key is None:
        return Entry(payload, len(values))
    return Entry(payload, len(values), key_digest("ann", key), body_digest("arrows", payload))


def opened(snapshot: Snapshot) -> Dataset:
    return Dataset("log", AppendedSource(LogTable(None, OWN, SCHEMA, "log"), snapshot, "log"))


def rows(log: AppendLog) -> list[int]:
    """The rows as a dataset reads them: whole, and a range of them."""
    snapshot = log.snapshot
    if not snapshot.rows:
        return []
    dataset = opened(snapshot)
    found: list[int] = dataset.column("x").values.tolist()
    assert dataset.arrow(["kind"])["kind"].to_pylist() == [KINDS[each % 3] for each in found]
    assert (dataset.num_rows, dataset.first_row) == (len(found), snapshot.first_row)
    numbers = np.arange(snapshot.first_row, snapshot.next_row)
    assert dataset.take(numbers[::-2], ["x"])["x"].to_pylist() == found[::-2]
    start, stop = snapshot.first_row + len(found) // 3, snapshot.next_row - len(found) // 4
    parts = list(opened(snapshot).read_rows(["x"], start, stop))
    assert [first for first, _ in parts][:1] == [start][: stop - start]
    assert [x for _, (part,) in parts for x in part.values.tolist()] == found[
        len(found) // 3 : stop - snapshot.first_row
    ]
    return found


def new(folder: Path, **options: Any) -> AppendLog:
    folder.mkdir(parents=True, exist_ok=True)
    return AppendLog.create(folder, SCHEMA, 0, 1, **options)


def patch(values: dict[int, int], key: str | None = None) -> Entry:
    """Other values at rows."""
    at = np.array(sorted(values), np.int64)
    new = [values[row] for row in at.tolist()]
    made = Patch(at, {"x": pa.array(new, pa.int64()), "kind": pa.array([KINDS[each % 3] for each in new])})
    payload = made.write()
    if key is None:
        return Entry(payload, len(at), patch=made)
    return Entry(payload, len(at), key_digest("ann", key), body_digest("patch", payload), made)


@dataclass
class Kept:
    """What a rule keeps, found from all appends anew each time: (rows, bytes, time) of each."""

    rule: Rule
    appends: list[tuple[int, int, int]] = field(default_factory=list)
    first: int = 0
    time: int = 0
    last: int | None = None

    def tell(self, now: int) -> None:
        self.time += max(0, now - (now if self.last is None else self.last))
        self.last = now

    def roll(self) -> None:
        ends = np.cumsum([rows for rows, _, _ in self.appends]).tolist()
        if self.rule.rows is not None and ends:
            self.first = max(self.first, ends[-1] - self.rule.rows)
        for at, (_, _, time) in enumerate(self.appends):
            if self.rule.age_ns is not None and self.time - time > self.rule.age_ns:
                self.first = max(self.first, ends[at])
        if self.rule.nbytes is not None:
            for at in range(len(self.appends) - 1):
                if sum(size for _, size, _ in self.appends[at:]) > self.rule.nbytes:
                    self.first = max(self.first, ends[at])


RULES = [
    Rule(), Rule(rows=1), Rule(rows=7), Rule(nbytes=2_000), Rule(age_ns=50 * SECOND), Rule(9, 1_500, 30 * SECOND),
]  # fmt: skip


class Against(RuleBasedStateMachine):
    """Appends, patches, repeats, rollover, a clock that jumps, crashes with a torn end, starts, and a seal, in any
    order, against a plain list."""

    @initialize(roll=st.sampled_from([1, 700, 1 << 20]), kept=st.sampled_from(RULES))
    def begin(self, roll: int, kept: Rule) -> None:
        self.folder = Path(os.environ["PYTEST_LOGS"]) / os.urandom(6).hex()
        self.roll = roll
        self.log = new(self.folder, roll_bytes=roll, rule=kept)
        self.all: list[int] = []
        self.kept = Kept(kept)
        self.keys: dict[str, tuple[list[int], Receipt]] = {}
        self.version = 1
        self.now = NOW
        self.sealed = False

    @rule(seconds=st.sampled_from([-4_000, -3, 1, 20, 60]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(groups=st.lists(st.lists(st.integers(0, 99), max_size=5), min_size=1, max_size=4))
    def append(self, groups: list[list[int]]) -> None:
        entries = [entry(group) for group in groups]
        if self.sealed:
            with pytest.raises(Conflict, match="sealed"):
                self.log.commit(entries, self.now)
            return
        answers = self.log.commit(entries, self.now)
        for group, made, answer in zip(groups, entries, answers, strict=True):
            self.version += 1
            assert answer == Receipt(self.version, len(self.all), len(group), True)
            self.added(group, made)

    @rule(values=st.lists(st.integers(0, 99), min_size=1, max_size=3), key=st.sampled_from("abc"))
    def append_once(self, values: list[int], key: str) -> None:
        if self.sealed:
            return
        made = entry(values, key)
        twice = self.log.commit([made, entry(values, key)], self.now)
        assert twice[0] == twice[1] or isinstance(twice[0], KeyReused)
        if key in self.keys:
            known, receipt = self.keys[key]
            assert twice[0] == receipt if known == values else isinstance(twice[0], KeyReused)
            return
        self.version += 1
        assert twice[0] == Receipt(self.version, len(self.all), len(values), True)
        self.keys[key] = values, twice[0]
        self.added(values, made)

    @rule(places=st.dictionaries(st.floats(0, 1), st.integers(0, 99), min_size=1, max_size=4), past=st.integers(0, 2))
    def correct(self, places: dict[float, int], past: int) -> None:
        """Some rows get other values; nothing does where one of the rows is not there."""
        there = len(self.all) - self.kept.first
        values = {self.kept.first + int(place * max(0, there - 1)): value for place, value in places.items()}
        if self.sealed:
            return
        if past:
            values[len(self.all) if past == 1 else self.kept.first - 1] = 1
        answer = self.log.commit([patch(values)], self.now)[0]
        if past or not there:
            assert isinstance(answer, NoSuchRow)
            return
        self.version += 1
        assert answer == Receipt(self.version, len(self.all), len(values), True)
        for row, value in values.items():
            self.all[row] = value
        self.kept.tell(self.now)
        self.kept.roll()

    @rule()
    def grow_old(self) -> None:
        before = self.kept.first
        rolled = self.log.roll(self.now)
        if rolled:
            self.version += 1
            self.kept.tell(self.now)
            self.kept.roll()
        assert rolled == (self.kept.first > before)

    @precondition(lambda self: self.version > 12)
    @rule()
    def seal(self) -> None:
        self.version += not self.sealed
        if not self.sealed:
            self.kept.tell(self.now)
        self.sealed = True
        assert self.log.seal(self.now) == self.version

    @rule(torn=st.binary(max_size=300), values=st.lists(st.integers(0, 99), max_size=5), cut=st.floats(0, 0.99))
    def crash(self, torn: bytes, values: list[int], cut: float) -> None:
        """An append that was not acknowledged is there in part, with anything after it."""
        if self.sealed:
            return
        self.log.close()
        last = max(self.folder.glob("*.log"))
        before = last.stat().st_size
        again = AppendLog.open(self.folder, self.version, roll_bytes=1 << 30)
        again.commit([entry(values)], self.now)
        again.close()
        whole = last.read_bytes()
        last.write_bytes(whole[: before + int(cut * (len(whole) - before))] + torn)
        (self.folder / ".rolled.1234").write_bytes(b"begun")
        self.start()

    @rule()
    def start(self) -> None:
        before = self.log.snapshot
        self.log.close()
        self.log = AppendLog.open(self.folder, self.version, roll_bytes=self.roll, rule=self.kept.rule)
        assert self.log.snapshot.digest == before.digest and self.log.snapshot.version == self.version

    def added(self, values: list[int], made: Entry) -> None:
        self.all += values
        self.kept.tell(self.now)
        if values:
            self.kept.appends.append((len(values), HEAD + len(made.payload), self.kept.time))
        self.kept.roll()

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "log"):
            return
        snapshot = self.log.snapshot
        assert (snapshot.first_row, snapshot.next_row) == (self.kept.first, len(self.all))
        assert rows(self.log) == self.all[self.kept.first :]
        files = sorted(self.folder.glob("*.log"))
        assert [each.batches.path for each in snapshot.files] == files
        assert snapshot.nbytes == sum(each.stat().st_size for each in files)
        if self.kept.rule and self.roll == 1:  # the disk holds little that is rolled over
            assert len(files) <= len(self.all) - self.kept.first + 30

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.log.close()
            shutil.rmtree(self.folder)


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_LOGS", str(tmp_path))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut, so nothing waits for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.mark.usefixtures("quick")
def test_against_a_list():
    run_state_machine_as_test(Against, settings=settings(max_examples=25, stateful_step_count=12, deadline=None))


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, int]:
    """A log of two appends, and where its last record begins."""
    log = new(tmp_path / "log")
    log.commit([entry([1, 2, 3])], NOW)
    end = log.snapshot.files[0].end
    log.commit([entry([4, 5], "k")], NOW)
    log.close()
    return tmp_path / "log", end


@pytest.mark.usefixtures("quick")
def test_a_record_that_is_torn_anywhere_is_cut_off(written):
    folder, end = written
    path = folder / "00000000.log"
    whole = path.read_bytes()
    for size in range(end, len(whole)):
        path.write_bytes(whole[:size])
        log = AppendLog.open(folder, 2)
        assert rows(log) == [1, 2, 3] and path.stat().st_size == end
        assert log.commit([entry([9])], NOW) == [Receipt(3, 3, 1, True)]
        log.close()
        path.write_bytes(whole)


@pytest.mark.usefixtures("quick")
def test_a_flipped_byte_in_the_last_record_is_no_append(written):
    folder, end = written
    path = folder / "00000000.log"
    whole = bytearray(path.read_bytes())
    size = int.from_bytes(whole[end + 8 : end + 16], "little")
    for at in range(end, end + HEAD + size):  # what comes after is padding
        whole[at] ^= 0x40
        path.write_bytes(whole)
        with pytest.raises(Unreadable, match="version 3 was acknowledged"):
            AppendLog.open(folder, 3)
        assert path.read_bytes() == whole  # nothing is cut off of what was acknowledged
        log = AppendLog.open(folder, 2)
        assert rows(log) == [1, 2, 3]
        log.close()
        whole[at] ^= 0x40


def test_a_damaged_record_before_an_acknowledged_one_is_told(written):
    folder, end = written
    path = folder / "00000000.log"
    whole = bytearray(path.read_bytes())
    whole[end - 10] ^= 1  # of the first batch: the second record says that it was on the disk
    path.write_bytes(whole)
    with pytest.raises(Unreadable, match="damaged at byte"):
        AppendLog.open(folder, 1)
    assert path.read_bytes() == whole


def test_damage_under_an_open_log_is_told_when_it_is_read(tmp_path):
    log = new(tmp_path / "log")
    log.commit([entry([1, 2, 3])], NOW)
    dataset = opened(log.snapshot)
    path = log.snapshot.files[0].batches.path
    with path.open("r+b") as file:
        file.seek(-9, os.SEEK_END)
        file.write(b"\xff")
    with pytest.raises(Unreadable, match="not what was written"):
        dataset.column("x")


def test_a_version_stays_as_it_was(tmp_path):
    log = new(tmp_path / "log", roll_bytes=900)
    kept = []
    for number in range(12):
        log.commit([entry([number] * 3)], NOW)
        kept.append(log.snapshot)
    assert len(list((tmp_path / "log").iterdir())) > 2
    for number, snapshot in enumerate(kept):
        dataset = opened(snapshot)
        assert dataset.column("x").values.tolist() == np.repeat(np.arange(number + 1), 3).tolist()
    assert len({each.digest for each in kept}) == 12
    fingerprint = opened(kept[-1]).fingerprint
    log.close()
    again = AppendLog.open(tmp_path / "log", 13)
    assert opened(again.snapshot).fingerprint == fingerprint
    again.close()


def test_a_file_that_was_just_begun_holds_nothing(tmp_path):
    log = new(tmp_path / "log", roll_bytes=1)
    log.commit([entry([1])], NOW)
    log.commit([entry([2])], NOW)
    log.close()
    last = max((tmp_path / "log").glob("*.log"))
    begun = last.with_name(f"{int(last.stem) + 1:08}.log")
    begun.write_bytes(last.read_bytes()[:50])
    again = AppendLog.open(tmp_path / "log", 3)
    assert rows(again) == [1, 2] and not begun.exists()
    again.close()
    last.unlink()
    with pytest.raises(Unreadable, match="version 3 was acknowledged"):
        AppendLog.open(tmp_path / "log", 3)


@pytest.mark.parametrize("written", [0, 1, 100, 500])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, written):
    log = new(tmp_path / "log")
    log.commit([entry([1, 2])], NOW)
    path = log.snapshot.files[0].batches.path
    before, write, left = path.read_bytes(), os.pwrite, written

    def full(descriptor: int, data: memoryview, at: int) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(errno.ENOSPC, "full")
        done = write(descriptor, data[:left], at)
        left -= done
        return done

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NoSpace):
        log.commit([entry([3], "k"), entry([4])], NOW)
    monkeypatch.undo()
    assert path.read_bytes() == before and rows(log) == [1, 2]
    assert log.commit([entry([5], "k")], NOW) == [Receipt(3, 2, 1, True)]  # errors are not remembered
    log.close()
    again = AppendLog.open(tmp_path / "log", 3)
    assert rows(again) == [1, 2, 5]
    again.close()


def test_a_disk_that_fails_to_sync(tmp_path, monkeypatch):
    log = new(tmp_path / "log")
    with monkeypatch.context() as patched:
        failures = [OSError(errno.EIO, "failed")]

        def fails_once(descriptor: int) -> None:
            if failures:
                raise failures.pop()

        patched.setattr(os, "fsync", fails_once)
        with pytest.raises(NoSpace):
            log.commit([entry([1])], NOW)
    assert rows(log) == [] and len(log.commit([entry([2])], NOW)) == 1 and rows(log) == [2]
    log.close()


def test_where_nothing_can_be_taken_back_nothing_more_is_written(tmp_path, monkeypatch):
    log = new(tmp_path / "log")
    with monkeypatch.context() as patched:

        def fails(*values: object) -> None:
            raise OSError(errno.EIO, "failed")

        patched.setattr(os, "fsync", fails)
        patched.setattr(os, "ftruncate", fails)
        with pytest.raises(NoSpace):
            log.commit([entry([1])], NOW)
    with pytest.raises(NoSpace):
        log.commit([entry([2])], NOW)
    log.close()
    again = AppendLog.open(tmp_path / "log", 1)  # what was refused is not there after a start
    assert rows(again) == []
    again.close()


def test_logs_that_are_open_hold_no_descriptor(tmp_path):
    """A server has as many as it has datasets that are appended to."""
    before = len(os.listdir("/proc/self/fd"))
    logs = [new(tmp_path / str(number), roll_bytes=1) for number in range(5)]
    for log in logs:
        for value in range(3):
            log.commit([entry([value])], NOW)
        log.sync()
    assert len(os.listdir("/proc/self/fd")) == before and all(rows(log) == [0, 1, 2] for log in logs)
    for log in logs:
        log.close()
        with pytest.raises(Conflict, match="taken away"):
            log.commit([entry([3])], NOW)


def test_without_a_descriptor_nothing_is_appended(tmp_path, monkeypatch):
    log = new(tmp_path / "log")
    path = log.snapshot.files[0].batches.path

    def too_many(*values: object) -> int:
        raise OSError(errno.EMFILE, "too many")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", too_many)
        with pytest.raises(Busy, match="too many files"):
            log.commit([entry([1])], NOW)
    assert log.commit([entry([2])], NOW) == [Receipt(2, 0, 1, True)] and rows(log) == [2]
    path.unlink()
    with pytest.raises(Conflict, match="taken away"):
        log.commit([entry([3])], NOW)


def test_a_log_that_was_taken_away_with_its_dataset_holds_no_other_up(tmp_path):
    """Another process may remove a dataset before how far its log goes was written down."""
    log = new(tmp_path / "log", durability="os")
    log.commit([entry([1])], NOW)
    shutil.rmtree(tmp_path / "log")
    assert log.sync().version == 2
    log.close()


def test_a_sealed_log_takes_nothing(tmp_path):
    log = new(tmp_path / "log")
    receipt = log.commit([entry([1], "k")], NOW)[0]
    assert log.seal(NOW) == log.seal(NOW) == 3
    with pytest.raises(Conflict, match="sealed"):
        log.commit([entry([2])], NOW)
    log.close()
    again = AppendLog.open(tmp_path / "log", 3)
    assert again.snapshot.sealed and rows(again) == [1]
    same = entry([1], "k")
    assert again.repeated(same.key, same.body, NOW) == receipt
    again.close()


def test_os_durability_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    (tmp_path / "log").mkdir()
    log = AppendLog.create(tmp_path / "log", SCHEMA, 0, 1, "os")
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    assert log.commit([entry([1])], NOW) == [Receipt(2, 0, 1, False)] and synced == []
    log.sync()
    assert len(synced) == 1
    monkeypatch.undo()
    log.close()


def test_a_key_is_kept_for_a_day(tmp_path):
    log = new(tmp_path / "log")
    first = log.commit([entry([1], "k")], NOW)
    assert log.commit([entry([1], "k")], NOW + DAY) == first
    assert log.commit([entry([1], "k")], NOW - 5 * DAY) == first  # the clock was set back
    assert isinstance(log.commit([entry([2], "k")], NOW)[0], KeyReused)
    assert log.commit([entry([2], "k")], NOW + DAY + 1) == [Receipt(3, 1, 1, True)]
    assert entry([1]).key == NO_KEY and key_digest("ann", "k") != key_digest("bob", "k")
    log.close()
