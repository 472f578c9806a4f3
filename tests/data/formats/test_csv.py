"""CSV as people write it."""

from __future__ import annotations

import bz2
import datetime
import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, BigvizError, Cancelled, TooLarge, Unreadable
from bigviz.data.formats import csv
from bigviz.data.formats.delimited import tokenizer
from bigviz.data.formats.delimited.tokenizer import SAMPLE_ROWS
from bigviz.data.open import open as open_table
from bigviz.data.open import open_files

from ...examples import examples


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def test_types_and_empty_cells(path: Path) -> None:
    path.write_text(
        "i,f,b,d,t,s\n"
        "1,1.5,true,2024-05-01,2024-05-01 12:00:00,left\n"
        ',,,,,\n3,nan,false,2024-05-03,2024-05-01T12:00:01.5,"ri,\nght"\n'
    )
    dataset = open_table(path)
    assert [info.kind for info in dataset.columns()] == ["integer", "float", "bool", "date", "timestamp", "category"]
    assert dataset.column("i").values.tolist() == [1, 0, 3]
    assert dataset.column("s").categories == ("left", "ri,\nght")
    for name in ("i", "b", "d", "t", "s"):
        valid = dataset.column(name).valid
        assert valid is not None and valid.tolist() == [True, False, True]
    assert dataset.take([1, 0], ["d", "s"]).to_pylist() == [  # type: ignore[arg-type]
        {"d": None, "s": None},
        {"d": datetime.date(2024, 5, 1), "s": "left"},
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators(path: Path, mark: str, start: str, end: str) -> None:
    path.write_bytes((start + end.join([f"a b{mark}y", f"1{mark}2.5", f"3{mark}4.5", ""])).encode())
    dataset = open_table(path)
    assert dataset.schema.names == ["a b", "y"]
    assert dataset.column("y").values.tolist() == [2.5, 4.5]


def test_a_first_line_of_numbers_is_a_row(path: Path) -> None:
    path.write_text("1,2.5\n3,-4e3\n")
    dataset = open_table(path)
    assert dataset.num_rows == 2 and dataset.schema.names == ["f0", "f1"]


def test_one_column_and_no_rows(path: Path) -> None:
    path.write_text("x\n")
    dataset = open_table(path)
    assert dataset.num_rows == 0 and dataset.schema.names == ["x"]


@pytest.mark.parametrize(("pack", "ending"), [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (None, ".zst")])
def test_packed(tmp_path: Path, pack: object, ending: str) -> None:
    text = b"x,y\n" + b"".join(b"%d,%d\n" % (row, row * row) for row in range(5000))
    packed = pa.compress(text, "zstd", asbytes=True) if pack is None else pack(text)  # type: ignore[operator]
    path = tmp_path / f"t.csv{ending}"
    path.write_bytes(packed)
    assert open_table(path).column("y").values[-1] == 4999 * 4999


def test_a_packed_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n" + b"0,0\n" * 4_000_000))
    monkeypatch.setattr(csv, "available_memory", lambda: 8_000_000)
    with pytest.raises(TooLarge, match="unpacks to more than"):
        open_table(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"x,y\n1,2\n3\n", "Expected 2 columns, got 1"),
        (b"x,y\n" + b"1,2\n" * 20_000 + "Köln,1\n".encode("latin-1"), "not in UTF-8"),
        (b"x,y\n1,\0\n", "not a format"),
    ],
)
def test_damaged(path: Path, text: bytes, words: str) -> None:
    path.write_bytes(text)
    with pytest.raises(Unreadable, match=words) as caught:
        open_table(path)
    assert str(path) in str(caught.value)


def test_a_packed_file_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    packed = gzip.compress(b"x,y\n" + b"".join(b"%d,%d\n" % (row, row * 7919 % 1000) for row in range(5000)))
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(Unreadable, match=str(path)):
        open_table(path)


def test_the_file_may_vanish_afterwards(path: Path) -> None:
    path.write_text("x,s\n1,a\n")
    dataset = open_table(path)
    path.unlink()
    assert dataset.column("x").values.tolist() == [1]
    with pytest.raises(Unreadable, match="is gone"):
        dataset.check()


@pytest.mark.parametrize(
    ("options", "names", "rows"),
    [
        ({}, ["f0", "f1"], 2),
        ({"header": False}, ["f0", "f1"], 2),
        ({"delimiter": ";"}, ["f0", "f1"], 2),
        ({"delimiter": ";", "header": True}, ["1", "5,2"], 1),
        ({"delimiter": "tab", "header": False}, ["f0"], 2),
    ],
)
def test_what_is_said_is_done(path: Path, options: dict[str, Any], names: list[str], rows: int) -> None:
    path.write_text("1;5,2\n3;7,4\n")
    dataset = open_table(path, **options)
    assert dataset.schema.names == names and dataset.num_rows == rows


@pytest.mark.parametrize("options", [{"header": True}, {"delimiter": ","}])
def test_options_are_for_csv_only(tmp_path: Path, options: dict[str, Any]) -> None:
    pq.write_table(pa.table({"x": [1], "y": [2]}), tmp_path / "t.parquet")
    with pytest.raises(BadInput, match=r"for CSV files only, not for .*t\.parquet, which is Parquet"):
        open_table(tmp_path / "t.parquet", **options)
    with pytest.raises(BadInput, match="for CSV files only, not for the Table"):
        open_table(pa.table({"x": [1]}), **options)


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "é", 5])
def test_a_delimiter_is_one_character(path: Path, delimiter: Any) -> None:
    path.write_text("x,y\n1,2\n")
    with pytest.raises(BadInput, match="delimiter is one ASCII character"):
        open_table(path, delimiter=delimiter)


def test_it_says_what_it_assumed(path: Path) -> None:
    path.write_text("# logger\nx;s\n1,5;a\n")
    assert open_table(path).assumed == (
        f"{path} was read as CSV: cells are separated by semicolons, with decimal commas; "
        "line 2 holds the names 'x', 's'; 1 line at the top is a comment.",
    )


def test_files_read_alike_are_told_of_together(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.csv").write_text("x,y\n1,2\n")
    (tmp_path / "3.csv").write_text("x;y\n1;2\n")
    first, second = open_table(tmp_path).assumed
    assert first.startswith(f"{tmp_path}/0.csv and 2 more files were read as CSV: cells are separated by commas;")
    assert second.startswith(f"{tmp_path}/3.csv was read as CSV: cells are separated by semicolons;")


def many(folder: Path, longest: int = 9_000) -> list[int]:
    """A table of 40 files: packed, decoded, mended, Parquet among them, and a cell of `longest`; the x of its rows."""
    for number in range(40):
        (folder / f"{number:02}.csv").write_text(f"x,s\n{2 * number},a\n{2 * number + 1},b\n")
    (folder / "07.csv").write_bytes(gzip.compress(b"x,s\n14,a\n15,b\n"))
    (folder / "08.csv").write_bytes("\ufeffx,s\n16,a\n17,b\n".encode("utf-16-le"))
    (folder / "09.csv").write_bytes(b"x,s\r\n18,a\n19,b\r\n")
    (folder / "10.csv").write_bytes(b"x,s\n20,a\n# between\n21,b\n")
    pq.write_table(pa.table({"x": [22, 23], "s": ["a", "b"]}), folder / "11.csv")
    (folder / "12.csv").write_text('x,s\n24,a\n25,"' + "b" * longest + '"\n')
    return list(range(80))


def test_many_files_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them has a line that is too long for the buffers that are tried first, of 8 MB and 256 MB elsewhere."""
    monkeypatch.setattr(tokenizer, "_LINE", 1 << 20)
    monkeypatch.setattr(tokenizer, "_LONG_LINE", 1 << 24)
    told: list[tuple[str, float, int]] = []
    rows = many(tmp_path, 1_500_000)
    dataset = open_table(tmp_path, progress=lambda *step: told.append(step))
    assert dataset.column("x").values.tolist() == rows
    assert {stage for stage, _, _ in told} == {f"reading {tmp_path.name}"}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_of_many_files_the_one_that_is_wrong_is_named(tmp_path: Path) -> None:
    many(tmp_path)
    (tmp_path / "23.csv").write_text("x,s\n1,2\n3\n")
    with pytest.raises(Unreadable, match=r"23\.csv cannot be read as CSV: line 3: Expected 2 columns, got 1"):
        open_table(tmp_path)


def test_of_many_files_the_one_that_changes_is_named(tmp_path: Path) -> None:
    many(tmp_path)

    def change(*step: object) -> None:
        with (tmp_path / "00.csv").open("a") as file:
            file.write("1,b\n")

    with pytest.raises(Unreadable, match=r"00\.csv changed since it was opened"):
        open_table(tmp_path, progress=change)


def test_progress_and_cancelling(path: Path) -> None:
    path.write_text("x,pad\n" + "".join(f"{row},{'a' * 200}\n" for row in range(200_000)))
    told: list[tuple[str, float, int]] = []
    open_table(path, progress=lambda *step: told.append(step))
    assert {stage for stage, _, _ in told} == {"reading t.csv"} and len(told) > 3
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1] == ("reading t.csv", 1.0, 200_000)
    cancel = Cancel()
    with pytest.raises(Cancelled):
        open_table(path, progress=lambda *step: cancel.cancel(), cancel=cancel)


def test_a_sample_tells_about_how_many_rows_there_are(path: Path) -> None:
    path.write_text("x,s\n" + "".join(f'{row},"a\nb"\n' for row in range(100_000)))
    dataset = open_files(str(path), sample=True)
    assert dataset.num_rows == SAMPLE_ROWS and dataset.schema.types == [pa.int64(), pa.string()]
    assert dataset.estimated_rows == pytest.approx(100_000, rel=0.1)
    assert "types are those of the first 20,480 rows" in dataset.assumed[0]
    assert open_table(path).estimated_rows is None


def test_a_file_that_changes_while_it_is_read_is_refused(path: Path) -> None:
    path.write_text("x,pad\n" + "".join(f"{row},{'a' * 200}\n" for row in range(200_000)))

    def change(*step: object) -> None:
        with path.open("a") as file:
            file.write("1,b\n")

    with pytest.raises(Unreadable, match="changed since it was opened"):
        open_table(path, progress=change)


@given(st.text(st.sampled_from('ab1,;\t"\n\r.-é |'), max_size=60))
@settings(max_examples=examples(25, fuzzed=300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_opens_or_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    try:
        dataset = open_table(path)
        for info in dataset.columns():
            dataset.column(info.name)
    except BigvizError as error:
        assert error.message
