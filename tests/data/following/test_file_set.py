"""Directories of Parquet files to which others are added."""

import os
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled, NotFound
from bigviz.data.dataset import Dataset
from bigviz.data.following.table import FollowedTable

from .files import grow, looked, values_of, write


def test_new_files_are_new_rows_in_the_order_in_which_they_were_found(tmp_path: Path):
    write(tmp_path / "b.parquet", [1, 2])
    write(tmp_path / "c.parquet", [3])
    table = FollowedTable(str(tmp_path), "t")
    first = table.open()
    write(tmp_path / "a.parquet", [4])  # first by name, and later
    second = looked(table)
    write(tmp_path / "aa.parquet", [6])
    write(tmp_path / "Z.parquet", [5])
    third = looked(table)
    assert [values_of(each) for each in (first, second, third)] == [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5, 6]]
    assert [each.version for each in (first, second, third)] == [1, 2, 3]
    assert len({each.fingerprint for each in (first, second, third)}) == 3


def test_a_file_that_is_being_written_is_not_read_before_it_is_whole(tmp_path: Path):
    write(tmp_path / "a.parquet", [1])
    table = FollowedTable(str(tmp_path), "t")
    table.open()
    whole = write(tmp_path / "later", [2, 3]).read_bytes()
    with (tmp_path / "b.parquet").open("wb") as file:
        for at in range(0, len(whole), 97):
            file.write(whole[at : at + 97])
            file.flush()
            assert table.look() is None
    assert values_of(looked(table)) == [1, 2, 3]


def test_a_file_that_is_renamed_into_the_directory_is_read_at_once(tmp_path: Path):
    write(tmp_path / "a.parquet", [1])
    table = FollowedTable(str(tmp_path), "t")
    table.open()
    hidden = write(tmp_path / "_b.parquet", [2])
    old = time.time_ns() - 10**8  # written a moment before: the clock of a file system is no finer than that
    os.utime(hidden, ns=(old, old))
    hidden.rename(tmp_path / "b.parquet")
    found = table.look()
    assert found is not None and values_of(found) == [1, 2]


@pytest.mark.parametrize("change", ["removed", "rewritten", "replaced"])
def test_a_file_that_is_not_what_was_read_opens_another_lineage(tmp_path: Path, change: str):
    write(tmp_path / "a.parquet", [1])
    write(tmp_path / "b.parquet", [2])
    table = FollowedTable(str(tmp_path), "t")
    before = table.open()
    if change == "removed":
        (tmp_path / "a.parquet").unlink()
    elif change == "rewritten":
        write(tmp_path / "a.parquet", [7, 8])
    else:
        write(tmp_path / "_a", [7, 8]).rename(tmp_path / "a.parquet")
    after = looked(table, settle=change != "removed")
    assert values_of(after) == ([2] if change == "removed" else [7, 8, 2])
    assert after.lineage != before.lineage and after.version == before.version + 1
    what = "is gone" if change == "removed" else "was changed"
    assert any(f"a.parquet {what}: the table was opened anew" in note for note in after.notes)
    assert str(tmp_path) not in "".join(after.notes)  # viewers read them


def test_rows_stay_while_no_file_is_left_and_it_is_told_once(tmp_path: Path):
    path = write(tmp_path / "a.parquet", [1, 2])
    table = FollowedTable(str(tmp_path), "t")
    before = table.open()
    before.column("v")
    path.unlink()
    assert table.look() is None and table.look() is None
    assert [told for told in table.take_told() if "a.parquet is gone" in told]
    assert any("a.parquet is gone. The rows that were read are still shown" in note for note in before.notes)
    assert before.column("v").values.tolist() == [1, 2]
    write(tmp_path / "b.parquet", [3])
    after = looked(table)
    assert values_of(after) == [3] and after.lineage != before.lineage


def test_a_file_with_other_columns_opens_another_lineage(tmp_path: Path):
    write(tmp_path / "a.parquet", [1])
    table = FollowedTable(str(tmp_path), "t")
    before = table.open()
    pq.write_table(pa.table({"v": [2], "w": [0.5]}), tmp_path / "b.parquet")
    after = looked(table)
    assert after.schema.names == ["v", "w"] and values_of(after) == [1, 2]
    assert after.lineage != before.lineage
    assert any("b.parquet has other columns than the files before" in note for note in after.notes)


def test_a_file_of_other_columns_opens_the_table_anew_once(tmp_path: Path):
    """Also within its first second, in which a first look takes no file for whole that was not seen before."""
    old = time.time() - 60
    os.utime(write(tmp_path / "a.parquet", [1]), (old, old))
    table = FollowedTable(str(tmp_path), "t")
    found = [table.open()]
    pq.write_table(pa.table({"v": [2.5], "w": [1]}), tmp_path / "b.parquet")
    for _ in range(6):
        new = table.look()
        if new is not None:
            found.append(new)
    assert [each.num_rows for each in found] == [1, 2] and found[1].schema.names == ["v", "w"]


def test_types_that_the_table_holds_anyway_are_read_as_its_own(tmp_path: Path):
    pq.write_table(pa.table({"v": pa.array([1], pa.int64())}), tmp_path / "a.parquet")
    table = FollowedTable(str(tmp_path), "t")
    before = table.open()
    pq.write_table(pa.table({"v": pa.array([2], pa.int32())}), tmp_path / "b.parquet")
    after = looked(table)
    assert values_of(after) == [1, 2] and after.lineage == before.lineage


def test_partitions_are_columns(tmp_path: Path):
    write(tmp_path / "day=2026-01-01" / "a.parquet", [1, 2])
    table = FollowedTable(str(tmp_path), "t")
    before = table.open()
    write(tmp_path / "day=2026-01-02" / "a.parquet", [3])
    after = looked(table)
    assert after.lineage == before.lineage
    assert [str(day) for day in values_of(after, "day")] == ["2026-01-01", "2026-01-01", "2026-01-02"]
    write(tmp_path / "day=unknown" / "a.parquet", [4])
    anew = looked(table)
    assert anew.lineage != after.lineage
    assert values_of(anew, "day") == ["2026-01-01", "2026-01-01", "2026-01-02", "unknown"]


def test_a_glob_takes_the_files_that_match(tmp_path: Path):
    write(tmp_path / "x" / "a-1.parquet", [1])
    table = FollowedTable(str(tmp_path / "*" / "a-*.parquet"), "t")
    table.open()
    write(tmp_path / "x" / "b-1.parquet", [9])
    write(tmp_path / "x" / "a-2.parquet", [2])
    write(tmp_path / "y" / "a-3.parquet", [3])
    assert values_of(looked(table)) == [1, 2, 3]


def test_links_are_followed_and_hidden_names_left_out(tmp_path: Path):
    elsewhere = write(tmp_path / "elsewhere" / "a.parquet", [2])
    write(tmp_path / "data" / "a.parquet", [1])
    table = FollowedTable(str(tmp_path / "data"), "t")
    table.open()
    (tmp_path / "data" / "b.parquet").symlink_to(elsewhere)
    (tmp_path / "data" / "c.parquet").symlink_to(tmp_path / "nowhere")
    write(tmp_path / "data" / ".d.parquet", [8])
    write(tmp_path / "data" / "_e.parquet", [9])
    assert values_of(looked(table)) == [1, 2]


def test_what_is_no_table_is_left_out_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bigviz.data.following.file_set._SECONDS_TO_TELL", 0.0)
    write(tmp_path / "a.parquet", [1])
    table = FollowedTable(str(tmp_path), "t")
    before = table.open()
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and nothing more")
    (tmp_path / "c.csv").write_text("v\n1\n")
    for _ in range(5):
        assert table.look() is None
    told = table.take_told()
    assert len(told) == 2
    assert "b.parquet is left out until it changes" in told[0] and "c.csv is left out" in told[1]
    assert str(tmp_path) not in "".join(before.notes)
    write(tmp_path / "b.parquet", [2])
    assert values_of(looked(table)) == [1, 2]


def test_arrow_files_are_taken_like_parquet(tmp_path: Path):
    rows = pa.table({"v": [1, 2]})
    with pa.ipc.new_file(str(tmp_path / "a.arrow"), rows.schema) as writer:
        writer.write_table(rows)
    table = FollowedTable(str(tmp_path), "t")
    table.open()
    write(tmp_path / "b.parquet", [3])
    assert values_of(looked(table)) == [1, 2, 3]


@pytest.mark.parametrize("log", ["_delta_log/0.json", "metadata/v1.metadata.json"])
def test_a_table_with_a_log_of_its_own_is_not_followed(tmp_path: Path, log: str):
    write(tmp_path / "a.parquet", [1])
    (tmp_path / log).parent.mkdir()
    (tmp_path / log).write_text("{}")
    with pytest.raises(BadInput, match="its log says which of its files count"):
        FollowedTable(str(tmp_path), "t").open()


def test_an_empty_directory_is_nothing_to_begin_with(tmp_path: Path):
    with pytest.raises(NotFound, match=r"nothing to follow at .* yet: there is no data file in it"):
        FollowedTable(str(tmp_path), "t").open()


def test_a_look_at_many_files_that_are_what_they_were_asks_for_few_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bigviz.data.following.file_set._AT_ONCE", 40)
    whole = write(tmp_path / "0.parquet", [1]).read_bytes()
    for number in range(1, 100):
        (tmp_path / f"{number}.parquet").write_bytes(whole)
    old = time.time_ns() - 10**10
    for path in (*tmp_path.iterdir(), tmp_path):
        os.utime(path, ns=(old, old))
    table = FollowedTable(str(tmp_path), "t")
    first = table.open()
    assert first.num_rows == 100
    asked: list[object] = []
    stat = os.stat

    def counted(path: object, *args: object, **kwargs: object) -> os.stat_result:
        asked.append(path)
        return stat(path, *args, **kwargs)  # type: ignore[arg-type, call-overload, no-any-return]

    monkeypatch.setattr("os.stat", counted)
    monkeypatch.setattr("bigviz.data.following.listing.tree", None)  # no directory is listed again
    for _ in range(3):
        assert table.look() is None
    assert len(asked) <= 3 * 41
    assert {str(each) for each in asked} >= {str(tmp_path / f"{number}.parquet") for number in range(100)}


def test_a_look_can_be_cancelled(tmp_path: Path):
    write(tmp_path / "a.parquet", [1])
    table = FollowedTable(str(tmp_path), "t")
    table.open()
    write(tmp_path / "_b", [2]).rename(tmp_path / "b.parquet")
    stop = Cancel()
    stop.cancel()
    with pytest.raises(Cancelled):
        for _ in range(3):
            table.look(stop)
    assert values_of(looked(table)) == [1, 2]


def test_rows_read_by_piece_are_those_of_one_table(tmp_path: Path):
    generator = np.random.default_rng(7)
    blocks = [generator.normal(size=int(size)) for size in generator.integers(1, 50, 20)]
    write(tmp_path / "00.parquet", blocks[0])
    table = FollowedTable(str(tmp_path), "t")
    found: Dataset = table.open()
    for number, block in enumerate(blocks[1:], 1):
        write(tmp_path / f"{number:02}.parquet", block)
        found = grow(table, found)
    expected = np.concatenate(blocks)
    assert np.array_equal(found.column("v").values, expected)
    pieces = [found.read(number, ["v"]) for number in range(len(found.chunks()))]
    read = [columns[0].values for piece in pieces for _, columns in piece]
    assert np.array_equal(np.concatenate(read), expected)
    rows = generator.permutation(len(expected))[:30]
    assert found.take(rows, ["v"]).column(0).to_pylist() == expected[rows].tolist()
