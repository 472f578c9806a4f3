"""NDJSON files that grow."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bigviz.common.errors import BadInput, NotFound
from bigviz.data.following import growing_text
from bigviz.data.following.table import FollowedTable
from bigviz.data.formats.delimited.dialect import CsvOptions

from .files import grow, values_of


def append(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def begun(path: Path, text: str) -> FollowedTable:
    path.write_text(text, newline="")
    return FollowedTable(str(path), "t")


def test_a_line_without_its_end_waits(tmp_path: Path):
    path = tmp_path / "t.ndjson"
    table = begun(path, '{"n": 1}\n{"n": 2')
    found = table.open()
    rows = [values_of(found, "n")]
    for letter in '2}\n\n{"n": 3, "new": 1}\r\n':
        append(path, letter)
        new = table.look()
        if new is not None:
            assert new.lineage == found.lineage
            rows.append(values_of(new, "n"))
    assert rows == [[1], [1, 22], [1, 22, 3]]
    (told,) = table.take_told()
    assert told == "t.ndjson: There is no column for 'new': columns are those of the first look."
    append(path, '{"n": 4, "new": 2}\n')
    assert values_of(grow(table, found), "n") == [1, 22, 3, 4] and table.take_told() == []  # it was told


TYPES = {
    "n": ([1, None, -3], "int64"), "u": ([2**64 - 1, 0, 1], "uint64"), "x": ([1, 2.5, None], "double"),
    "flag": ([True, None, False], "bool"), "digits": (["007", "1", None], "string"),
    "day": (["2026-05-01", None, "2026-05-02"], "date32[day]"),
    "when": (["2026-05-01T12:00:00.5", "2026-05-01 13:00:00", None], "timestamp[us]"),
    "zone": (["2026-05-01T12:00:00+02:00", "2026-05-01T12:00:00Z", None], "timestamp[us, tz=UTC]"),
    "clock": (["12:00:00", None, None], "string"), "none": ([None, None, None], "string"),
    "list": ([[1, 2], None, []], "string"), "mixed": ([1, "a", None], "string"),
    'a/"~b': ([1, 2, 3], "int64"), "N": ([5, 6, 7], "int64"),
}  # fmt: skip


def test_types_and_columns_are_those_of_the_first_look(tmp_path: Path):
    lines = [json.dumps({name: values[row] for name, (values, _) in TYPES.items()}) for row in range(3)]
    found = begun(tmp_path / "t.json", "\ufeff" + "\n".join(lines) + "\n").open()
    assert found.schema.names == list(TYPES)
    assert [str(each.type) for each in found.schema] == [kind for _, kind in TYPES.values()]
    for name in ("n", "u", "x", "flag", "digits", "clock", "none", 'a/"~b', "N"):
        assert values_of(found, name) == TYPES[name][0]
    assert values_of(found, "list") == ["[1,2]", None, "[]"] and values_of(found, "mixed") == ["1", "a", None]
    zone = found.arrow(["zone"]).column(0).cast("int64").to_pylist()
    assert zone[1] - zone[0] == 2 * 3_600 * 10**6


def test_what_does_not_fit_is_null_or_left_out_and_told(tmp_path: Path):
    path = tmp_path / "t.jsonl"
    table = begun(path, '{"n": 1, "t": "2026-05-01"}\n')
    found = table.open()
    strange = ['{"n": 1.5, "t": "soon"}', "null", "[1]", '{"n": 2} {"n": 3}', '{"n": "x"', "", '{"t": 5, "n": "7"}']
    append(path, "\n".join(strange) + "\n")
    append(path, b'{"n": 9, "t": "2026-05-02", "n2": "\xff"}\n')
    found = grow(table, found)
    assert values_of(found, "n") == [1, None, 7, 9]
    assert [str(each) for each in values_of(found, "t")] == ["2026-05-01", "None", "None", "2026-05-02"]
    told = table.take_told()
    assert told[0] == "t.jsonl: Line 2 has '1.5' in column 'n', which holds int64: it is null there."
    assert [each for each in told if "is no JSON object" in each] == [
        f"t.jsonl: Line {line} is no JSON object." for line in (3, 4, 5, 6)
    ]
    assert "more lines or values do not fit either" in told[5] and "'n2'" in told[6]


def test_what_comes_in_pieces_is_what_the_whole_would_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(growing_text, "AT_ONCE", 5_000)
    rng = np.random.default_rng(4)
    rows = [
        {"n": n, "x": float(rng.normal()), "s": "né" * (n % 3)} if n % 7 else {"n": n, "x": None} for n in range(900)
    ]
    raw = "".join(json.dumps(row, ensure_ascii=bool(row["n"] % 2)) + "\n" for row in rows).encode()
    path = tmp_path / "t.ndjson"
    cuts = sorted(rng.integers(9_000, len(raw), 12).tolist())
    path.write_bytes(raw[: cuts[0]])
    table = FollowedTable(str(path), "t")
    found = table.open()
    for start, stop in pairwise([*cuts, len(raw)]):
        append(path, raw[start:stop])
        while (new := table.look()) is not None or table.more:
            found = new or found
    for name in ("n", "x", "s"):
        assert values_of(found, name) == [row.get(name) for row in rows]
    assert table.take_told() == []


def test_what_cannot_be_followed_is_refused(tmp_path: Path):
    for text in ("{\n", '{\n  "n": 1\n}\n', '{"n": 1}'):
        with pytest.raises(NotFound, match="no whole line with a JSON object"):
            begun(tmp_path / "t.json", text).open()
    with pytest.raises(BadInput, match="which is NDJSON"):
        FollowedTable(str(tmp_path / "t.json"), "t", CsvOptions(None, ";")).open()


def test_a_file_that_was_written_anew_is_opened_anew(tmp_path: Path):
    path = tmp_path / "t.ndjson"
    table = begun(path, '{"n": 1}\n{"n": 2}\n')
    found = table.open()
    path.write_text('{"n": 5}\n')
    new = table.look()
    assert new is not None and new.lineage != found.lineage and values_of(new, "n") == [5]
