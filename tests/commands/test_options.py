"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bigviz.cli import cli
from bigviz.commands import sample_tables


@pytest.mark.parametrize(
    ("text", "rows"), [("1000", 1000), ("1e7", 10**7), ("1.5E3", 1500), ("2_000", 2000), ("4294967295", 2**32 - 1)]
)
def test_numbers_of_rows_are_read_as_people_write_them(
    text: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def write(directory: Path, rows: int) -> list[Path]:
        asked.append(rows)
        return []

    monkeypatch.setattr(sample_tables, "write_samples", write)
    found = CliRunner().invoke(cli, ["sample", str(tmp_path), "--rows", text])
    assert (found.exit_code, asked) == (0, [rows])


@pytest.mark.parametrize("command", [["demo"], ["sample", "there"]])
@pytest.mark.parametrize(
    "text", ["0", "-1e3", "1.5", "1e10", "1e999999999999", "1e-999999999", "nan", "snan", "inf", "many", ""]
)
def test_what_is_no_number_of_rows_is_refused(command: list[str], text: str) -> None:
    found = CliRunner().invoke(cli, [*command, "--rows", text])
    assert found.exit_code == 2 and "no whole number of rows" in found.output
