from __future__ import annotations

import glob
import shlex
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bigviz.commands.hints import same_schema_hint
from bigviz.data.open import open as open_table


def write(*paths: Path, **columns: object) -> list[str]:
    table = pa.table(columns or {"x": [1]})
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            pq.write_table(table, path)
        elif path.suffix == ".csv":
            path.write_text("x,y\n1,2\n")
        else:
            with ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table)
    return [str(path) for path in paths]


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv"])
@pytest.mark.parametrize(
    ("directory", "others"), [("d", []), ("it's a [d]", []), ("d", ["other.parquet", "x.csv", "y.arrow"])]
)
def test_the_command_opens_these_files_and_no_others(
    tmp_path: Path, ending: str, directory: str, others: list[str]
) -> None:
    root = tmp_path / directory
    paths = write(*[root / f"trips-{number}.{ending}" for number in (1, 2, 3)])
    write(*[root / name for name in others])
    hint = same_schema_hint(paths)
    assert hint is not None and "3 files share one schema" in hint
    command = shlex.split(hint[hint.index("bigviz serve") :])
    assert command[:2] == ["bigviz", "serve"] and len(command) == 3
    assert sorted(glob.glob(command[2])) == paths
    assert open_table(command[2]).num_rows == 3


def test_no_hint(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a1.parquet", tmp_path / "a2.parquet")
    other = write(tmp_path / "b.parquet", y=[1.5])[0]
    assert same_schema_hint([one]) is None
    assert same_schema_hint([one, other]) is None
    assert same_schema_hint([one, str(tmp_path / "missing.parquet")]) is None
    assert same_schema_hint([one, str(tmp_path)]) is None
    (tmp_path / "a3.parquet").write_bytes(b"")
    assert same_schema_hint([one, two, str(tmp_path / "a3.parquet")]) is None
    assert same_schema_hint([one, two]) is None, "a glob would take a3 too"
    apart = write(tmp_path / "c" / "1.parquet", tmp_path / "d" / "1.parquet")
    assert same_schema_hint(apart) is None
