"""An assignment that several servers share by a file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.data.open import open_files
from bigviz.tiles.cluster.parts import shared_assignment
from bigviz.tiles.cluster.parts.shared_assignment import SharedAssignment

THERE = ["tcp://a", "tcp://b", "tcp://c"]


@pytest.fixture
def two(tmp_path: Path) -> tuple[SharedAssignment, SharedAssignment]:
    return SharedAssignment(tmp_path / "parts"), SharedAssignment(tmp_path / "parts")


@pytest.fixture
def again(dataset: Dataset) -> Dataset:
    """The same table as another server has it."""
    assert dataset.origin is not None
    return open_files(dataset.origin.paths[0])


def test_both_name_the_same_holders_whoever_they_meet_first(
    two: tuple[SharedAssignment, SharedAssignment], dataset: Dataset, again: Dataset
) -> None:
    one, other = two
    parts = one.parts_of(dataset, THERE)
    assert other.parts_of(again, THERE[::-1]) == parts and len(parts) == 3
    assert [one.holder(part) for part in parts] == [other.holder(part) for part in parts]
    assert other.dataset_of(parts[0]) is again


def test_a_lost_part_goes_to_one_worker_and_what_was_indexed_of_it_counts_no_more(
    two: tuple[SharedAssignment, SharedAssignment], dataset: Dataset, again: Dataset
) -> None:
    one, other = two
    (part, *_) = one.parts_of(dataset, THERE)
    other.parts_of(again, THERE)
    before = other.holder(part)
    assert before is not None
    named = one.next_holder(part, [each for each in THERE if each != before[0]])
    assert named is not None and named[0] != before[0]
    found = other.holder(part)
    assert found is not None and found[0] == named[0] and found != before
    assert other.next_holder(part, THERE) == found  # nobody is named twice


def test_a_worker_that_another_server_has_met_is_waited_for(
    two: tuple[SharedAssignment, SharedAssignment],
    dataset: Dataset,
    again: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = two
    (part, *_) = one.parts_of(dataset, ["tcp://a"])
    other.parts_of(again, ["tcp://a"])
    one.next_holder(part, ["tcp://new"])
    found = other.holder(part)
    assert found is not None and found[0] == "tcp://new"
    assert other.next_holder(part, ["tcp://b"]) is None
    monkeypatch.setattr(shared_assignment, "_MEETS", 0.0)
    last = other.next_holder(part, ["tcp://b"])
    assert last is not None and last[0] == "tcp://b" and last[1] != found[1]
    follows = one.holder(part)
    assert follows is not None and follows[0] == "tcp://b"


def test_rows_move_once_and_former_parts_are_left_when_all_servers_have_followed(
    two: tuple[SharedAssignment, SharedAssignment],
    dataset: Dataset,
    again: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = two
    old = one.parts_of(dataset, THERE[:2])
    monkeypatch.setattr(os, "getpid", lambda: os.getppid())  # the other server, which lives too
    other.parts_of(again, THERE[:2])
    monkeypatch.undo()
    with one.moving() as alone, other.moving() as also:
        assert alone and not also
    new = one.plan(dataset, THERE)
    assert new is not None and other.parts_of(again, THERE) == old and other.has_others(again)
    one.adopt(dataset, new)
    one.taken(dataset)
    assert other.parts_of(again, THERE) == new and not one.is_taken(dataset)
    monkeypatch.setattr(os, "getpid", lambda: os.getppid())
    other.taken(again)
    monkeypatch.undo()
    assert one.is_taken(dataset)
    one.leave(dataset)
    assert [other.holder(part) for part in old if part not in new] == [None] * len([p for p in old if p not in new])
    assert not one.has_others(dataset)


def test_a_server_that_has_ended_is_not_waited_for(tmp_path: Path, dataset: Dataset) -> None:
    one = SharedAssignment(tmp_path / "parts")
    one.parts_of(dataset, THERE[:2])
    child = os.fork()
    if not child:
        try:
            SharedAssignment(tmp_path / "parts").parts_of(dataset, THERE)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    new = one.plan(dataset, THERE)
    assert new is not None
    one.adopt(dataset, new)
    one.taken(dataset)
    assert one.is_taken(dataset)


def test_a_number_that_another_users_process_has_now_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(pid: int, signal: int) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr(os, "kill", kill)
    assert not shared_assignment._lives("1")


def test_a_decision_that_could_not_be_written_is_none(
    two: tuple[SharedAssignment, SharedAssignment], dataset: Dataset, again: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(BadInput, match="no room"):
            one.parts_of(dataset, THERE)
    parts = one.parts_of(dataset, THERE)
    assert other.parts_of(again, THERE[:1]) == parts
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(BadInput, match="no room"):
            one.next_holder(parts[0], THERE[1:])
    (mine, _), (others, _) = (each.holder(parts[0]) or ("nobody", 0) for each in two)
    assert mine == others == THERE[0]


def test_a_table_is_forgotten_once_no_server_shows_it_any_more(
    two: tuple[SharedAssignment, SharedAssignment],
    dataset: Dataset,
    again: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = two
    pids = {one: os.getpid(), other: os.getppid()}  # both live

    def act(as_whom: SharedAssignment) -> SharedAssignment:
        monkeypatch.setattr(os, "getpid", lambda: pids[as_whom])
        return as_whom

    parts = act(one).parts_of(dataset, THERE)
    assert act(other).parts_of(again, THERE) == parts
    assert act(one).forget(dataset) == {}  # the other one still asks
    assert one.dataset_of(parts[0]) is None and one.next_holder(parts[0], THERE) is None
    assert [act(other).holder(part) is not None for part in parts] == [True] * 3
    assert set(act(other).forget(again)) == set(parts)
    for each in two:
        assert act(each).holder(parts[0]) is None
        assert not each._parts and not each._epochs and not each._holder and not each._moves and not each._datasets
    assert act(one).parts_of(dataset, THERE[:2]) != parts
    assert act(other).parts_of(again, THERE) == one.parts_of(dataset, THERE)
