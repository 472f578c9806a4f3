"""CSV files that grow."""

import os
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest

from bigviz.common.errors import BadInput, NotFound, Unreadable
from bigviz.data.following import typed_lines
from bigviz.data.following.table import FollowedTable
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.formats.delimited.typed_column import cast_cells
from bigviz.data.open import open_files

from .files import grow, looked, values_of


def append(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def begun(path: Path, text: str) -> FollowedTable:
    path.write_text(text, newline="")
    return FollowedTable(str(path), "t")


def test_a_line_without_its_end_waits(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, "n,s\n1,a\n2,b")
    found = table.open()
    assert values_of(found, "n") == [1]
    text = 'b\n30,"c""d"\n4,"e\nf"\n'
    rows = [values_of(found, "n")]
    for letter in text:
        append(path, letter)
        new = table.look()
        if new is not None:
            rows.append(values_of(new, "n"))
            found = new
    assert rows == [[1], [1, 2], [1, 2, 30], [1, 2, 30, 4]]
    assert values_of(found, "s") == ["a", "bb", 'c"d', "e\nf"]


def test_a_quoted_cell_over_lines_waits_at_the_first_look_too(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, 'n,s\n1,a\n2,"say, ""hi""\nthere')
    found = table.open()
    assert values_of(found, "n") == [1]
    append(path, ' and\nthere"\n3,c\n')
    found = grow(table, found)
    assert values_of(found, "s") == ["a", 'say, "hi"\nthere and\nthere', "c"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("mark", "options"), [(";", CsvOptions()), ("\t", CsvOptions()), ("~", CsvOptions(None, "~"))])
def test_what_comes_is_read_as_the_whole_file_would_be(tmp_path: Path, mark: str, options: CsvOptions, end: str):
    generator = np.random.default_rng(5)
    lines = ["a,b,day,time,text"]
    for row in range(300):
        word = ["plain", '"with ""quotes"""', '"a\nb"', "", "NA", " spaced "][row % 6]
        number = "" if row % 17 == 3 else f"{generator.normal():.6f}"
        lines.append(f"{row},{number},2026-01-{row % 28 + 1:02},2026-05-01T12:00:{row % 60:02}.5,{word}")
    text = end.join(line.replace(",", mark) for line in lines) + end
    path = tmp_path / "t.csv"
    raw = text.encode()
    cuts = [0, *sorted(generator.integers(3_000, len(raw), 25).tolist()), len(raw)]
    path.write_bytes(raw[: cuts[1]])
    table = FollowedTable(str(path), "t", options)
    found = table.open()
    for start, stop in pairwise(cuts[1:]):
        append(path, raw[start:stop])
        found = table.look() or found
    whole = open_files(path, "t", options)
    names = whole.schema.names
    assert found.schema == whole.schema and table.take_told() == []
    assert found.arrow(names).equals(whole.arrow(names))
    rows = [columns[0].values.tolist() for _, columns in found.read_rows(["a"], 100, 217)]
    assert list(chain(*rows)) == list(range(100, 217))


def test_times_in_another_notation_are_read_as_at_the_first_look(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, "day,v\n31/12/2025,1\n13/01/2026,2\n")
    found = table.open()
    append(path, "14/01/2026,3\nsoon,4\n")
    found = grow(table, found)
    assert [str(day) for day in values_of(found, "day")] == ["2025-12-31", "2026-01-13", "2026-01-14", "None"]
    assert "Line 5 has 'soon' in column 'day'" in table.take_told()[0]


def test_what_does_not_fit_is_told_with_its_line_and_the_others_are_read(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, 'n,v\n1,0.5\n2,"0.5"\n')
    first = table.open()
    append(path, '3\n\n4,1.5\n5,1,2\n6,much\n"7","2.5"\n8.5,3.5\n')
    found = grow(table, first)
    assert values_of(found, "n") == [1, 2, 4, 6, 7, None]
    assert values_of(found, "v") == [0.5, 0.5, 1.5, None, 2.5, 3.5]
    told = table.take_told()
    assert told == [
        "t.csv: Line 4 has 1 cell, not 2.",
        "t.csv: Line 7 has 3 cells, not 2.",
        "t.csv: Line 8 has 'much' in column 'v', which holds double: it is null there.",
        "t.csv: Line 10 has '8.5' in column 'n', which holds int64: it is null there.",
    ]
    assert list(found.notes) == told
    append(path, "x,1\n" * 9)
    grow(table, found)
    told = table.take_told()
    assert (
        len(told) == 6
        and told[0].startswith("t.csv: Line 11 has 'x'")
        and told[5] == "t.csv: 4 more lines do not fit either."
    )


ODD = [
    *("", "much", "1.5", "0x1F", "+7", "-8", "9" * 30, "1e400", "-inf", "nan(1)", ".5", "5.", "1e5", "1,5", "1_0", "0"),
    *("TRUE", "false", "2", "\u0663", "- 1", "1 ", "<b>", "2026-01-02", "2026-13-02", "2026-01-02T03:04:05.5"),
    *("2026-01-02 03:04:05Z", "2026-01-02 03:04:05+02:00", "03:04:05", "25:00:00"),
]
KINDS = [
    *("1", "18446744073709551615", "9" * 25, "0.5", "true"),
    *("2026-01-02", "03:04:05", "2026-01-02 03:04:05", "2026-01-02 03:04:05Z"),
]


def test_cells_together_are_what_each_is_alone(tmp_path: Path):
    paths = tmp_path / "one.csv", tmp_path / "other.csv"
    names = [f"v{number}" for number in range(len(KINDS))]
    together, alone = (begun(path, f"n,{','.join(names)}\n1,{','.join(KINDS)}\n") for path in paths)
    first, found = together.open(), alone.open()
    lines = ["2" + f',"{odd}"' * len(KINDS) + "\n" for odd in ODD]
    for line in lines:
        append(paths[1], line)
        found = grow(alone, found)
    append(paths[0], "".join(lines))
    grown = grow(together, first)
    for name, kind in zip(names, KINDS, strict=True):
        assert str(values_of(grown, name)) == str(values_of(found, name)), kind


def test_many_lines_that_do_not_fit_cost_no_more_than_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tried = []
    monkeypatch.setattr(typed_lines, "cast_cells", lambda *cells: tried.append(0) or cast_cells(*cells))
    path = tmp_path / "t.csv"
    table = begun(path, "n,v,b,t\n1,0.5,true,2026-01-02\n")
    found = table.open()
    append(path, "1.5,a,b,soon\n" * 20_000 + "1\n" * 20_000 + "2,0.5,true,2026-01-02\n")
    found = grow(table, found)
    assert found.num_rows == 20_002 and values_of(found, "n")[-1] == 2 and values_of(found, "v").count(None) == 20_000
    assert table.take_told()[-1] == "t.csv: 39,995 more lines do not fit either."
    assert len(tried) < 100


def test_lines_that_do_not_fit_are_left_out_at_the_first_look_too(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, 'n,s\n1,a\n2,"b\nb"\n3\n4,d\n5,e,e\n6,f\n')
    first = table.open()
    assert values_of(first, "n") == [1, 2] and table.more
    second = grow(table, first)
    assert values_of(second, "n") == [1, 2, 4, 6]
    assert table.take_told() == ["t.csv: Line 5 has 1 cell, not 2.", "t.csv: Line 7 has 3 cells, not 2."]
    with pytest.raises(Unreadable, match="Expected 2 columns"):
        open_files(path, "t")  # as a table that does not grow it is refused


def test_bytes_that_are_no_text_are_replaced_and_told(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, "n,s\n1,a\n")
    first = table.open()
    append(path, b"2,b\n3,\xe4\n4,d\n")
    found = grow(table, first)
    assert values_of(found, "s") == ["a", "b", "\ufffd", "d"]
    assert table.take_told() == ["t.csv: Line 4 is not UTF-8."]


def test_a_column_without_values_at_first_becomes_text(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, "n,s\n1,\n")
    first = table.open()
    append(path, "2,7\n")
    assert values_of(grow(table, first), "s") == [None, "7"]


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bigviz.data.following.growing_text._LONGEST", 64)
    path = tmp_path / "t.csv"
    table = begun(path, "n,s\n1,a\n")
    first = table.open()
    append(path, '2,"b\n3,c\n')
    assert table.look() is None
    append(path, "4,d\n" * 20)
    found = looked(table)
    assert values_of(found, "n") == [1, 3, *[4] * 20] and found.lineage == first.lineage
    assert table.take_told()[0].startswith("t.csv: Line 3, or a quoted cell that begins in it, does not end within")


def test_a_file_of_one_column_and_no_names(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("1\n2\n")
    table = FollowedTable(str(path), "t", CsvOptions(False, ","))
    first = table.open()
    append(path, "3\n4\n5")
    assert values_of(grow(table, first), "f0") == [1, 2, 3, 4]


@pytest.mark.parametrize("change", ["replaced", "cut short", "written anew", "gone"])
def test_a_file_that_is_another_one_is_opened_anew(tmp_path: Path, change: str):
    path = tmp_path / "t.csv"
    table = begun(path, "n,s\n1,a\n2,b\n")
    before = table.open()
    other = "n,s\n" + "".join(f"{row},0.5\n" for row in range(9))
    if change == "replaced":
        (tmp_path / "other").write_text(other)
        (tmp_path / "other").rename(path)
    elif change == "cut short":
        os.truncate(path, len("n,s\n1,a\n"))
    elif change == "written anew":
        path.write_text(other)
    else:
        path.unlink()
        assert table.look() is None and table.look() is None
        [told] = table.take_told()
        assert told.startswith("t.csv is gone. The rows that were read are still shown") and told in before.notes
        path.write_text(other)
    after = looked(table)
    assert values_of(after, "n") == ([1] if change == "cut short" else list(range(9)))
    assert values_of(after, "s")[0] == ("a" if change == "cut short" else 0.5)  # types are found anew too
    assert after.lineage != before.lineage and after.version > before.version
    assert any("opened anew" in note for note in after.notes) and values_of(before, "n") == [1, 2]


@pytest.mark.parametrize(
    ("text", "why"), [("", "is empty"), ("n,s", "holds no whole line yet"), ("n,s\n", "holds a line of names alone")]
)
def test_a_file_without_rows_is_nothing_to_begin_with(tmp_path: Path, text: str, why: str):
    table = begun(tmp_path / "t.csv", text)
    with pytest.raises((NotFound, Unreadable), match=why):
        table.open()


def test_packed_and_wide_text_is_refused(tmp_path: Path):
    (tmp_path / "t.csv").write_bytes("n,s\n1,a\n".encode("utf-16"))
    with pytest.raises(BadInput, match="is UTF-16, and only plain text in UTF-8 is followed"):
        FollowedTable(str(tmp_path / "t.csv"), "t").open()


def test_many_small_additions_lie_in_few_chunks(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = begun(path, "n\n0\n")
    found = table.open()
    for number in range(1, 200):
        append(path, f"{number}\n")
        found = table.look() or found
    column = found.arrow(["n"]).column(0)
    assert column.to_pylist() == list(range(200)) and column.num_chunks <= 9
