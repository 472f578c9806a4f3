"""The JSON Schema in the package says what the reader does, and docs/document.md has every key of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta

from bigviz.common.errors import BadInput
from bigviz.document import spec
from bigviz.document.controls.spec import KEYS
from bigviz.document.json import from_json
from bigviz.document.spec import LinkSpec

from ..docs.markdown import ROOT, listings, section, tables, words
from .controls.test_json import with_controls
from .test_basemap import CREDIT, REFUSED, TILES
from .test_json import DOCUMENT, documents, finite, text

SCHEMA = json.loads(files("bigviz.document").joinpath("schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
PAGE = ROOT / "docs" / "document.md"
PLACES = {
    "Document": SCHEMA,
    "Range": SCHEMA["$defs"]["range"],
    "Row and column": SCHEMA["$defs"]["box"],
    "Grid": SCHEMA["$defs"]["grid"],
    "Tabs": SCHEMA["$defs"]["tabs"],
    "Place of a control": SCHEMA["$defs"]["place"],
    "Figure": SCHEMA["$defs"]["figure"],
    "Axis": SCHEMA["$defs"]["axis"],
    "Layer": SCHEMA["$defs"]["layer"],
    "Link": SCHEMA["$defs"]["link"],
    "Basemap": SCHEMA["$defs"]["basemap"],
    "Follow": SCHEMA["$defs"]["follow"],
}
SPECS = {
    "Range": spec.RangeSpec, "Figure": spec.FigureSpec, "Axis": spec.AxisSpec, "Layer": spec.LayerSpec,
    "Link": LinkSpec, "Basemap": spec.BasemapSpec, "Follow": spec.FollowSpec,
}  # fmt: skip
# Values of a wrong type, or out of every key's bounds.
WRONG = st.sampled_from([[], {}, [None], "", "no such word", -1, 1.5, 10**6, True, None, "a\n", "\n", {"a": 1}, [0]])


def is_read(value: object) -> bool:
    try:
        from_json(value)
    except BadInput:
        return False
    return True


def test_it_is_a_schema() -> None:
    meta.validate(SCHEMA)


@settings(max_examples=40)
@given(documents() | with_controls())
def test_documents_are_valid(document: spec.Document) -> None:
    VALIDATOR.validate(document.to_json())


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to every value of a document."""
    yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*way, key))


@settings(max_examples=60)
@given(documents() | with_controls(), st.data())
def test_what_the_schema_refuses_the_reader_refuses(document: spec.Document, data: st.DataObject) -> None:
    value = document.to_json()
    *way, last = data.draw(st.sampled_from([each for each in places(value) if each]))
    at: Any = value
    for key in way:
        at = at[key]
    if isinstance(at, dict) and data.draw(st.booleans()):
        if data.draw(st.booleans()):
            del at[last]
        else:
            at["unknown"] = at[last]
    else:
        at[last] = data.draw(WRONG | finite | text)
    if not VALIDATOR.is_valid(value):
        assert not is_read(value)


SINGLE = [way for way in places(DOCUMENT) if way and way[0] not in ("id", "datasets")]


@pytest.mark.parametrize("way", SINGLE, ids=lambda way: ".".join(map(str, way)))
def test_both_know_the_same_values_of_a_key(way: tuple[str | int, ...]) -> None:
    told = []
    for wrong in ([], {}, [3], {"a": 1}, "", "no such word", -1, 0, 1.5, 10**6, True, False, None, "a\n", 2**53):
        value = copy.deepcopy(DOCUMENT)
        at: Any = value
        for key in way[:-1]:
            at = at[key]
        at[way[-1]] = wrong
        told.append((wrong, VALIDATOR.is_valid(value), is_read(value)))
    refused = [(wrong, valid, read) for wrong, valid, read in told if valid != read]
    loose = {
        "x_range": ("names of ranges", str), "y_range": ("names of ranges", str), "dataset": ("datasets", str),
        "id": ("ids used twice", str), "cmap": ("names of colour maps", str), "color": ("names of colours", str),
        "start": ("the order of ends", int | float | bool), "end": ("the order of ends", int | float | bool),
        "ranges": ("references", dict), "children": ("figures", list),
    }  # fmt: skip
    kind = loose.get(str(way[-1]), ("", ()))[1]
    assert [each for each in refused if not (each[1] and isinstance(each[0], kind))] == []


def test_a_key_that_is_left_out_is_missing_to_both() -> None:
    for way in places(DOCUMENT):
        if not way or isinstance(way[-1], int):
            continue
        value = copy.deepcopy(DOCUMENT)
        at: Any = value
        for key in way[:-1]:
            at = at[key]
        del at[way[-1]]
        if way[0] != "ranges" or len(way) > 2:
            assert VALIDATOR.is_valid(value) == is_read(value), way


@pytest.mark.parametrize("url", [TILES, "http://{s}.a.b:1/{y}{x}{z}{r}{r}", *REFUSED])
def test_both_know_the_same_addresses_of_tiles(url: object) -> None:
    figure = {"x_axis": {"kind": "mercator"}, "y_axis": {"kind": "mercator"}}
    value = copy.deepcopy(DOCUMENT)
    value["layout"]["children"][0] |= {**figure, "basemap": {"url": url, "attribution": CREDIT}}
    loose = isinstance(url, str) and url.startswith(("https://tile.example:0/", "https://tile.example:65536/"))
    assert VALIDATOR.is_valid(value) == is_read(value) or loose


@pytest.mark.parametrize("name", SPECS)
def test_keys_and_defaults_are_those_of_the_values(name: str) -> None:
    place, known = PLACES[name], {each.name: each for each in fields(SPECS[name])}
    assert set(place["properties"]) - {"type"} == set(known)
    assert set(place["required"]) - {"type"} == {name for name, each in known.items() if each.default is MISSING}
    for key, each in known.items():
        if "default" in place["properties"][key]:
            default = place["properties"][key]["default"]
            assert (tuple(default) if isinstance(default, list) else default) == each.default


def test_the_document_s_own_keys() -> None:
    assert set(SCHEMA["properties"]) == {*DOCUMENT, "controls", "links"}


@pytest.mark.parametrize("name", PLACES)
def test_the_page_has_every_key(name: str) -> None:
    (table,) = tables(section(PAGE, name))
    assert [key for cells in table for key in words(cells[0])] and {
        key for cells in table for key in words(cells[0])
    } == set(PLACES[name]["properties"])
    for cells in table:
        default = cells[2].strip()
        for key in words(cells[0]):
            assert bool(default) == (key not in PLACES[name]["required"]), key
            found = PLACES[name]["properties"][key]
            if "default" in found and default.startswith("`"):
                assert words(default)[0].strip('"') == json.dumps(found["default"]).strip('"'), key


def test_the_page_has_the_keys_of_every_control():
    (table,) = tables(section(PAGE, "Controls"))
    told = {words(cells[0])[0]: tuple(words(cells[1])) for cells in table}
    assert told == KEYS
    known = {
        each["properties"]["type"]["const"]: tuple(each["properties"]) for each in SCHEMA["$defs"]["control"]["oneOf"]
    }
    assert known == {kind: ("type", *keys) for kind, keys in KEYS.items()}


@pytest.mark.parametrize("name", PLACES)
def test_the_page_has_every_word(name: str) -> None:
    (table,) = tables(section(PAGE, name))
    for cells in table:
        for key in words(cells[0]):
            choices = PLACES[name]["properties"][key]
            enums = [choices, *choices.get("anyOf", ())]
            for word in (word for each in enums for word in each.get("enum", ()) if isinstance(word, str)):
                assert word in words(cells[1]), (key, word)


@pytest.mark.parametrize("listing", [each for each in listings(PAGE) if each.language == "python"], ids=str)
def test_the_page_s_code_runs(listing: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(listing.text, str(PAGE), "exec"), {})
