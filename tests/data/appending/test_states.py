"""An append log against a list, in any order of appends, patches, rollover, crashes and starts."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import numpy as np
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

from bigviz.common.errors import Conflict
from bigviz.data.appending.keys import Receipt
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.records import HEAD
from bigviz.data.appending.refusals import KeyReused, NoSuchRow
from bigviz.data.appending.rule import Rule
from bigviz.data.log_files import rewritten

from .logs import NOW, SECOND, entry, new, patch, rows


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

    @rule()
    def tidy(self) -> None:
        self.log.tidy()
        assert self.log.is_tidy

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
        with mock.patch.object(rewritten, "MANY", 1 << 30):  # the append goes to the file that is cut
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
    """A few appends are many, so files are written anew all the time."""
    monkeypatch.setenv("PYTEST_LOGS", str(tmp_path))
    monkeypatch.setattr(rewritten, "MANY", 4)
    monkeypatch.setattr(rewritten, "_FEWER", 1)


@pytest.mark.usefixtures("quick")
def test_against_a_list():
    run_state_machine_as_test(Against, settings=settings(max_examples=25, stateful_step_count=12, deadline=None))
