"""What a file is, is decided by its bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigviz.common.errors import BigvizError, Unreadable
from bigviz.data.formats.sniff import format_of, suffix_of
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.open import open as open_table

TABLE = pa.table({"x": [1.5, 2.5], "y": [3, 4]})


def write(path: Path, kind: str) -> None:
    if kind == "parquet":
        pq.write_table(TABLE, path)
    elif kind == "csv":
        path.write_text("x,y\n1.5,3\n2.5,4\n")
    else:
        with (ipc.new_file if kind == "arrow file" else ipc.new_stream)(str(path), TABLE.schema) as writer:
            writer.write_table(TABLE)


@pytest.mark.parametrize("kind", ["parquet", "arrow file", "arrow stream", "csv"])
@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.csv", "t.arrows", "t", "t.bin"])
def test_any_name_opens_with_a_note_where_it_promises_another(tmp_path: Path, kind: str, name: str) -> None:
    write(tmp_path / name, kind)
    dataset = open_table(tmp_path / name)
    assert dataset.column("x").values.tolist() == [1.5, 2.5] and dataset.column("y").values.tolist() == [3, 4]
    right = {
        "t.parquet": ["parquet"],
        "t.arrow": ["arrow file", "arrow stream"],
        "t.csv": ["csv"],
        "t.arrows": ["arrow stream"],
    }
    if kind in right.get(name, [kind]):
        assert dataset.notes == ()
    else:
        assert len(dataset.notes) == 1 and f"is named {suffix_of(name)} but holds" in dataset.notes[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty \\(0 bytes\\)"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PK\x03\x04....", "zip archive"),
        (b"SQLite format 3\0", "SQLite"),
        (b"Obj\x01....", "Avro"),
        (b"ORC....", "ORC"),
        (b"FEA1....", "Feather version 1"),
        (b'{"x": [1, 2], "y": [3, 4]}', "JSON"),
        (b"\xff\xfex\0,\0y\0", "UTF-16"),
        (b"\0\1\2\3" * 10, "not a format that bigviz reads"),
        (b"one line of prose\nand another, with a comma\n", "not a format that bigviz reads"),
        (b"XXXX....PAR1", "does not begin like it"),
        (b"PARE" + b"." * 20 + b"PARE", "encrypted footer.*no keys"),
        (b"PAR1", "truncated Parquet"),
        (b"PAR1....", "truncated Parquet"),
    ],
)
def test_what_it_is_instead(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=words) as caught:
        open_table(path)
    assert str(path) in caught.value.message and caught.value.field == "source"


@pytest.mark.parametrize("start", ["PAR1", "ARROW1", "ORC", "CDF", "FEA1", "{x}", "[x]", "PARE"])
def test_names_that_begin_like_another_format(tmp_path: Path, start: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{start},y\n1,2\n")
    assert open_table(path).schema.names == [start, "y"]


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("stadt,y\nKöln,1\n".encode("latin-1"))
    with pytest.raises(Unreadable, match=r"not in UTF-8.*iconv"):
        open_table(path)


def test_a_letter_cut_by_the_first_block_is_still_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "x" * (65536 - 4 - 1) + "ä,1\n")
    assert format_of(StableFile.at(str(path))) == ("csv", None)


def test_packed_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n1.5,3\n2.5,4\n"))
    dataset = open_table(path)
    assert dataset.name == "t" and dataset.column("x").values.tolist() == [1.5, 2.5]


@given(
    st.binary(max_size=200),
    st.sampled_from(["t.parquet", "t.arrow", "t.csv", "t"]),
    st.sampled_from([b"", b"PAR1", b"ARROW1\0\0", b"\xff" * 4]),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_open_or_are_refused(tmp_path: Path, content: bytes, name: str, magic: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(magic + content)
    try:
        open_table(path)
    except BigvizError as error:
        assert error.message
