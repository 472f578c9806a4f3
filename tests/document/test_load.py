"""Documents from text, files and dicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bigviz as bv
from bigviz.common.errors import BadInput, BigvizError, NotFound, Unreadable
from bigviz.document.json_values import parse_json
from bigviz.document.load import load

from .test_json import DOCUMENT, documents


@settings(max_examples=30)
@given(documents())
def test_a_document_comes_back_from_its_text_and_its_values(document: bv.Document):
    value = document.to_json()
    assert load(value) == load(json.dumps(value)) == load(json.dumps(value, indent=1)) == document
    assert load(value).to_json() == value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_from_a_file(tmp_path: Path, encoding: str):
    path = tmp_path / "höhe.json"
    value = {**DOCUMENT, "title": "Höhe"}
    path.write_text(json.dumps(value, ensure_ascii=False), encoding)
    assert load(path).to_json() == load(str(path)).to_json() == value


def test_with_tables_it_can_be_served(rows: bv.Dataset):
    made = bv.document(bv.figure().points(rows, "when", "b"))
    bound = load(made.to_json(), sources={"rows": rows})
    assert bound == made and bound.unbound == () and load(made.to_json()).unbound == ("rows",)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "Expected a document as JSON"),
        ('{"format": NaN}', "NaN is no JSON number"),
        ('{"format": 2, "format": 2}', "the key 'format' is given twice"),
        ('{"a":' * 100_000, "nested too deep|Expected a document"),
        ("{}", "is missing"),
    ],
)
def test_texts_that_are_none(text: str, match: str):
    with pytest.raises(BadInput, match=match):
        load(text)


def test_files_that_are_none(tmp_path: Path):
    with pytest.raises(NotFound, match="begins with a brace"):
        load("[1]")
    with pytest.raises(Unreadable, match="is a directory"):
        load(tmp_path)
    with pytest.raises(Unreadable, match="null"):
        load("a\0b")
    (tmp_path / "latin.json").write_bytes('{"title": "é"}'.encode("latin-1"))
    with pytest.raises(BadInput, match="utf-8"):
        load(tmp_path / "latin.json")
    with pytest.raises(BadInput, match="got int"):
        load(3)  # type: ignore[arg-type]


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_noise_raises_nothing_else(noise: bytes | str):
    try:
        parse_json(noise)
    except BigvizError as error:
        assert error.message


def test_a_key_that_is_given_twice_among_very_many():
    keys = [*map(str, range(100_000)), "99999"]
    with pytest.raises(BadInput, match="the key '99999' is given twice"):
        parse_json("{" + ",".join(f'"{key}":0' for key in keys) + "}")
