"""Tables that several processes follow by a journal: one looks, the others come to the same versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import NotFound
from bigviz.data.dataset import Dataset
from bigviz.data.following.journal import Journal, Record, folded
from bigviz.data.following.source import FollowedSource
from bigviz.data.following.table import FollowedTable

from .files import looked, values_of, write

Grow = Callable[[Path, int], None]


def grow_csv(path: Path, number: int) -> None:
    with path.open("a") as file:
        file.write(("v,w\n" if not number else "") + f"{number},a\n{number + 0.5},\n" + "torn")


def rest_of_csv(path: Path, number: int) -> None:
    with path.open("a") as file:
        file.write(f"1,b\n{number},a\nno number,c\n")


def grow_ndjson(path: Path, number: int) -> None:
    with path.open("a") as file:
        file.write(f'{{"v": {number}.5}}\n')


def grow_stream(path: Path, number: int) -> None:
    batch = pa.record_batch({"v": [float(number), 1.0]})
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    schema = pa.BufferOutputStream()
    ipc.new_stream(schema, batch.schema).close()
    begun = len(schema.getvalue().to_pybytes()) - 8  # without the marker of the end
    with path.open("ab") as file:
        file.write(sink.getvalue().to_pybytes()[begun if number else 0 : -8])


def grow_files(path: Path, number: int) -> None:
    write(path / f"{9 - number}.parquet", [float(number)])


KINDS = {"log.csv": grow_csv, "log.ndjson": grow_ndjson, "log.arrows": grow_stream, "files": grow_files}


def of(path: Path) -> FollowedTable:
    return FollowedTable(str(path), "t", journal=Journal(path.with_name("journal")))


def same(found: Dataset | None, expected: Dataset) -> None:
    assert found is not None
    facts = [(each.version, each.lineage, each.fingerprint, each.num_rows, each.notes) for each in (found, expected)]
    assert facts[0] == facts[1]
    assert list(found._source.growth.appends) == list(expected._source.growth.appends)
    assert values_of(found) == values_of(expected)


@pytest.mark.parametrize("name", KINDS)
def test_others_come_to_the_versions_of_the_one_that_looks_and_any_goes_on(name: str, tmp_path: Path) -> None:
    path, grow = tmp_path / name, KINDS[name]
    grow(path, 0)
    one, other = of(path), of(path)
    first = one.open()
    assert one.looks and not other.looks
    same(other.open(), first)
    for number in range(1, 4):
        grow(path, number)
        now = looked(one)
        assert other.told_of > other.taken
        same(other.look(), now)
        assert other.told_of == other.taken and other.look() is None
    late = of(path)
    same(late.open(), now)
    one._journal.close()  # type: ignore[union-attr]
    grow(path, 4)
    new = looked(other)
    assert other.looks and new.lineage == now.lineage and new.version > now.version
    same(late.look(), new)


@pytest.mark.parametrize("name", ["log.csv", "files"])
def test_files_that_are_opened_anew_are_so_for_all(name: str, tmp_path: Path) -> None:
    path, grow = tmp_path / name, KINDS[name]
    grow(path, 0)
    one, other = of(path), of(path)
    first = one.open()
    same(other.open(), first)
    if path.is_dir():
        (path / "9.parquet").unlink()
        grow(path, 1)
    else:
        path.write_text("v,w\n7,another\n")
    late = of(path)  # cannot have what was read before
    again = looked(one)
    assert again.lineage != first.lineage and again.version > first.version and "opened anew" in again.notes[-1]
    same(other.look(), again)
    same(late.open(), again)


def test_what_is_told_is_told_the_operator_once_and_viewers_of_all(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("v,w\n1,a\n2,b\n")
    one, other = of(path), of(path)
    one.open(), other.open()
    rest_of_csv(path, 3)
    now = looked(one)
    same(other.look(), now)
    assert any("no number" in each or "line" in each.lower() for each in one.take_told())
    assert other.take_told() == [] and other.notes == one.notes


def test_one_that_waits_opens_the_table_itself_if_the_other_cannot(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("v\n")
    one, other = of(path), of(path)
    with pytest.raises(NotFound):
        one.open()
    one._journal.close()  # type: ignore[union-attr]
    path.write_text("v\n1\n")
    assert values_of(other.open()) == [1] and other.looks


def test_a_line_that_was_torn_is_written_over(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "j"), Journal(tmp_path / "j")
    assert first.lead() and not second.lead()
    first.write({"a": 1})
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"torn":')
    first.close()
    assert second.read() == [{"a": 1}] and second.lead()
    second.write({"b": 2})
    assert [json.loads(line) for line in (tmp_path / "j").read_text().splitlines()] == [{"a": 1}, {"b": 2}]
    assert second.position == second.size


def test_who_has_read_of_a_torn_line_reads_the_one_that_is_written_over_it(tmp_path: Path) -> None:
    first, second, third = (Journal(tmp_path / "j") for _ in range(3))
    first.lead()
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"torn":')
    assert third.read() == []
    first.close()
    assert second.lead() and second.read() == [] and second.size == 0
    second.write({"b": 2})
    assert third.read() == [{"b": 2}] and third.position == third.size


def test_a_table_is_opened_although_another_process_ended_amid_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("v\n1\n")
    (tmp_path / "journal").write_bytes(b'{"time": 1')
    one, other = of(path), of(path)
    first = one.open()
    assert one.looks and one.told_of == one.taken
    same(other.open(), first)


@pytest.mark.parametrize("name", ["log.csv", "log.ndjson", "log.arrows"])
def test_who_comes_after_many_looks_reads_what_they_have_read_in_two(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, grow = tmp_path / name, KINDS[name]
    grow(path, 0)
    one = of(path)
    now = one.open()
    for number in range(1, 8):
        grow(path, number)
        now = looked(one, settle=False)
    late, replays, replay = of(path), list[Record](), FollowedTable._replay

    def counted(table: FollowedTable, record: Record, cancel: Cancel) -> FollowedSource | None:
        replays.append(record)
        return replay(table, record, cancel)

    monkeypatch.setattr(FollowedTable, "_replay", counted)
    same(late.open(), now)
    assert len(replays) == 2
    one._journal.close()  # type: ignore[union-attr]
    grow(path, 8)
    new = looked(late)
    assert late.looks and new.version == now.version + 1 and new.lineage == now.lineage
    same(of(path).open(), new)


def test_a_line_without_end_is_left_out_of_the_rows_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigviz.data.following.growing_text._LONGEST", 20)
    path = tmp_path / "log.csv"
    path.write_text("v,w\n1,a\n")
    one = of(path)
    now = one.open()
    for text in ("2,b\n", '3,"' + "x" * 30, "more\n4,d\n", "5,e\n"):  # of the third line the end comes too late
        with path.open("a") as file:
            file.write(text)
        while (found := one.look()) is not None or one.more:
            now = found or now
    same(of(path).open(), now)
    assert values_of(now) == [1, 2, 4, 5]


def test_records_that_later_ones_supersede_are_folded() -> None:
    def look(start: int, size: int, version: int = 0, **more: object) -> Record:
        known: Record = {"version": version, "rows": 10 * version} if version else {}
        return {"time": size, "seen": {"start": start, "size": size}, **known, **more}

    began: Record = {"time": 0, "seen": {"size": 5}, "version": 2, "rows": 20, "began": {}}
    before: list[Record] = [
        {"time": 0, "seen": {"size": 9}, "version": 1, "rows": 7, "began": {}},
        {"time": 0, "told": ["a"]},
    ]
    looks = [look(5, 6, 3, told=["b"]), look(6, 7), look(7, 9, 4), look(9, 10, 5, told=["c"]), look(10, 30, 6)]
    last = [{"time": 30, "seen": {"size": 40}}, look(40, 41, 7)]
    assert folded([*before, began, *looks, *last], 20) == [
        began,
        look(5, 6, 3, told=["b"]),  # what comes next is no version, whose bytes that would be
        look(6, 10, 5, told=["c"], passed=[40]),
        look(10, 30, 6),  # together they would be too many bytes
        *last,
    ]
