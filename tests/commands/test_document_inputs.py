"""Documents that commands draw, bound to their tables."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.commands.document_inputs import drawable_documents_at, output_paths
from bigviz.common.errors import BadInput, NotFound
from bigviz.data.dataset import Dataset
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.document.spec import Document
from bigviz.library.library import Library
from bigviz.server.run.loading import Columns


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"a": [1.0, 2.0], "b": [4, 5]}), "trips.parquet")
    named = bv.document(bv.figure(title="Named").points("rides", "a", "b"), id="named")
    Path("named.json").write_text(json.dumps(named.to_json()))
    return tmp_path


def drawn(*arguments: str, tables: tuple[str, ...] = (), library: Path | None = None) -> list[Document]:
    return drawable_documents_at(arguments, Columns(), CsvOptions(), tables, library or Path("nothing"))


def rows_of(made: Document) -> list[int]:
    return [each.num_rows for each in made.sources.values() if isinstance(each, Dataset)]


def test_tables_are_bound_as_they_are(folder: Path) -> None:
    [one, other] = drawn("trips.parquet", "trips.parquet")
    assert [one.id, other.id] == ["trips", "trips-2"] and rows_of(one) == rows_of(other) == [2]


def test_a_dataset_that_is_only_named_is_given_or_in_the_library(folder: Path) -> None:
    with pytest.raises(NotFound, match="'rides', and there is no library in nothing: name its table with --table"):
        drawn("named.json")
    [made] = drawn("named.json", tables=("rides=trips.parquet",))
    assert rows_of(made) == [2] and made.unbound == ()
    assert not (folder / "nothing").exists()


def test_a_name_is_a_document_of_the_library(folder: Path) -> None:
    with pytest.raises(NotFound, match="no library of published documents in nothing"):
        drawn("sales")
    value = json.loads(Path("named.json").read_text())
    with Library.open(folder / "kept") as library:
        library.documents.put("sales", value, title="Sales", datasets=[], author=None)
    with pytest.raises(NotFound):
        drawn("other", library=folder / "kept")
    with pytest.raises(NotFound, match="it is no dataset of the library"):
        drawn("sales", library=folder / "kept")
    [made] = drawn("sales", tables=("rides=trips.parquet",), library=folder / "kept")
    assert made.id == "sales" and rows_of(made) == [2]


def test_one_document_has_a_file_several_a_directory(folder: Path) -> None:
    made = drawn("trips.parquet", "trips.parquet")
    assert output_paths(made[:1], Path("out.html"), (".html",)) == [Path("out.html")]
    assert output_paths(made, None, (".png",)) == [Path("trips.png"), Path("trips-2.png")]
    with pytest.raises(BadInput, match="no directory"):
        output_paths(made, Path("out.html"), (".html",))
    for name in ("out.HTM", "out"):
        assert output_paths(made[:1], Path(name), (".html", ".htm")) == [Path(name)]
    with pytest.raises(BadInput, match=r"ends in \.html, got 'out\.txt'"):
        output_paths(made[:1], Path("out.txt"), (".html", ".htm"))
