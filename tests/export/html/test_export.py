"""Pages in one file: what is in them, how large they are, and that nothing is left half done."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bigviz as bv
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled, NotFound
from bigviz.document.spec import Document
from bigviz.export.html.export import Exported, export_html
from bigviz.export.html.page import page_bytes
from bigviz.server.http.page_scripts import bundle_of
from bigviz.server.http.pages import STATIC
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire.codec import decode
from bigviz.wire.frames import Frame, Reassembler, Type, parse, read_json
from bigviz.wire.rows import read_rows
from bigviz.wire.tiles import TileMessage, read_tile

ROWS = 70_000
HOSTILE = "</script></title><img src=x onerror=alert(1)><!--\u2028"


def points(agg: str = "count", rows: int = ROWS, title: str = "Points") -> Document:
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, rows))
    table = {"x": x, "y": y, "v": rng.random(rows), "kind": np.array(["a", "b", "c"])[rng.integers(0, 3, rows)]}
    return bv.document(bv.figure(title=title).points(table, "x", "y", agg), id="points")


class Inert(HTMLParser):
    """The texts of elements with an id or of scripts, and every address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.scripts: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href")]
        self._open = given.get("id") or ("" if tag == "script" else None)
        if tag == "title" and "title" not in self.texts:
            self._open = "title"

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open == "":
            self.scripts.append(data)
        elif self._open is not None:
            self.texts[self._open] = self.texts.get(self._open, "") + data


class Page:
    """An exported page, read back."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text("utf-8")
        self.inert = Inert(self.text)
        self.index: dict[str, Any] = json.loads(self.inert.texts["bigviz-index"])
        whole, at, self.blocks = self.inert.texts["bigviz-blocks"], 0, []
        for length in self.index["blocks"]:
            self.blocks.append(zlib.decompress(base64.b64decode(whole[at : at + length]), -zlib.MAX_WBITS))
            at += length
        assert at == len(whole)

    def messages(self, block: int) -> list[list[Frame]]:
        bytes, found, reassembler = self.blocks[block], [], Reassembler()
        while bytes:
            size = 40 + int.from_bytes(bytes[32:36], "little") + int.from_bytes(bytes[36:40], "little")
            whole = reassembler.add(parse(bytes[:size]))
            found += [] if whole is None else [whole]
            bytes = bytes[size:]
        return found

    def tiles(self, layer: int = 0) -> dict[TileKey, TileMessage]:
        found = {}
        for zx, zy, blocks in self.index["layers"][layer]["tiles"]["levels"]:
            for _, number in blocks:
                for message in map(read_tile, self.messages(number)):
                    assert (message.zx, message.zy) == (zx, zy)
                    found[TileKey(zx, zy, message.i, message.j)] = message
        return found

    def answer(self, layer: int = 0) -> dict[str, Any]:
        [message] = self.messages(self.index["layers"][layer]["answer"])
        return dict(read_json(message)[0])


def exported(made: Document, folder: Path, **options: Any) -> tuple[Page, Exported]:
    done = export_html(made, folder / "out.html", Engine(), **options)
    assert done.size == (folder / "out.html").stat().st_size
    assert [path.name for path in folder.iterdir()] == ["out.html"]
    return Page(folder / "out.html"), done


@pytest.mark.parametrize("agg", ["count", "mean(v)", "by(kind)"])
def test_its_tiles_are_the_engine_s_and_all_that_are_not_empty(tmp_path: Path, agg: str) -> None:
    made = points(agg)
    page, done = exported(made, tmp_path, depth=2)
    tiles, subject = page.tiles(), done.layers[0].subject
    pairs = {(key.zx, key.zy) for key in tiles}
    apart = {(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)} if agg == "mean(v)" else set()
    assert pairs == {(0, 0), (1, 1), (2, 2)} | apart
    for zx, zy in pairs:
        for i in range(1 << zx):
            for j in range(1 << zy):
                key = TileKey(zx, zy, i, j)
                own = subject.engine.tile(subject.dataset, subject.layer, key).planes
                if key not in tiles:
                    assert not any(plane.filled for plane in own)
                    continue
                for mine, theirs in zip(tiles[key].planes, own, strict=True):
                    assert all((a == b).all() for a, b in zip(decode(mine), decode(theirs), strict=True))
    assert page.answer()["inside"] == {"deepest": 2, "apart": 2 if agg == "mean(v)" else None}
    assert done.words() == "Points: y over x, levels 0 to 2"


def test_its_words_tell_apart_figures_of_the_same_columns(tmp_path: Path) -> None:
    table = {"x": np.arange(9.0), "y": np.arange(9.0)}
    figures = [bv.figure(title=title).points(table, "x", "y") for title in ("One", "Two", "")]
    _, done = exported(bv.document(bv.column(*figures)), tmp_path)
    whole = "y over x, all 9 rows"
    assert done.words() == f"One: {whole}; Two: {whole}; {whole}"


def test_blocks_are_found_by_the_z_order_of_their_first_tiles(tmp_path: Path) -> None:
    page, _ = exported(points(rows=300_000), tmp_path, depth=4)
    for _, _, blocks in page.index["layers"][0]["tiles"]["levels"]:
        assert blocks == sorted(blocks)
    deepest = page.index["layers"][0]["tiles"]["levels"][-1][2]
    assert len(deepest) > 1


def test_it_holds_as_many_whole_levels_as_fit(tmp_path: Path) -> None:
    deepest = []
    for room in (200_000, 500_000):
        page, done = exported(points(), tmp_path, max_size=page_bytes() + room)
        assert done.size <= page_bytes() + room + 20_000  # its own words about what it holds
        deepest.append(page.answer()["inside"]["deepest"])
    assert 1 <= deepest[0] < deepest[1]
    _, deeper = exported(points(), tmp_path, depth=deepest[0] + 1)
    assert deeper.size > page_bytes() + 200_000


def test_few_rows_are_inside_whole_and_so_are_those_of_a_line(tmp_path: Path) -> None:
    few = points(rows=2_000)
    page, done = exported(few, tmp_path)
    [rows] = [read_rows(each) for number in page.index["layers"][0]["rows"] for each in page.messages(number)]
    assert sorted(rows.row.tolist()) == list(range(2_000)) and rows.info["window"] is None
    assert page.answer()["inside"] == {} and "tiles" not in page.index["layers"][0]
    assert done.words() == "Points: y over x, all 2,000 rows"
    line = bv.document(bv.figure(title="Line").line({"x": np.arange(5_000), "y": np.arange(5_000) % 7}, "x", "y"))
    page, done = exported(line, tmp_path)
    assert page.answer()["inside"] == {"step": None} and "all 5,000 rows" in done.words()
    page, done = exported(line, tmp_path, depth=0)
    assert page.answer()["inside"]["step"] == pytest.approx(4_999 / 256) and "of 5,000 rows" in done.words()


def test_nothing_is_fetched_and_scripts_run_by_their_hashes(tmp_path: Path) -> None:
    page, _ = exported(points(rows=10), tmp_path)
    assert all(address.startswith(("data:", "#icon-", "../")) for address in page.inert.addresses)
    assert [each for each in page.inert.addresses if each.startswith("../")] == ["../"]  # All documents, hidden
    styles = "".join(re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL))
    assert styles and not re.search(r"@import|url\((?!data:|#)", styles)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.text)
    assert policy and policy[1].startswith("default-src 'none'; script-src 'sha256-")
    for script in page.inert.scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]
    made = bundle_of(STATIC) is not None  # else an import map stands before the script
    assert len(page.inert.scripts) == (1 if made else 2)
    assert "unsafe" not in policy[1].replace("style-src 'unsafe-inline'", "")


def test_a_filtered_layer_is_kept_with_its_filter_as_the_page_asks_for_it(tmp_path: Path) -> None:
    v = np.arange(ROWS) % 100
    table = {"x": np.arange(ROWS) % 977 * 1.0, "y": np.arange(ROWS) % 983 * 1.0, "v": v}
    plot = bv.figure().points(table, "x", "y", filter="v<25").points(table, "x", "y")
    page, _ = exported(bv.document(plot, id="plot"), tmp_path, depth=1)
    assert [each["definition"].get("filter") for each in page.index["layers"]] == ["v<25", None]
    assert [page.answer(layer)["rows_kept"] for layer in (0, 1)] == [np.count_nonzero(v < 25), ROWS]
    if "tiles" in page.index["layers"][0]:
        assert decode(page.tiles()[TileKey(0, 0, 0, 0)].planes[0])[0].sum() == np.count_nonzero(v < 25)


def test_names_are_text_everywhere(tmp_path: Path) -> None:
    table = {HOSTILE: np.arange(9.0), "y": np.arange(9.0)}
    plot = bv.figure(title=HOSTILE).points(table, HOSTILE, "y")
    page, _ = exported(bv.document(plot, title=HOSTILE, id="plot"), tmp_path)
    plain, _ = exported(points(rows=9), tmp_path)
    assert page.inert.tags == plain.inert.tags and page.inert.texts["title"] == HOSTILE
    assert page.index["layers"][0]["definition"]["x"] == HOSTILE and "\u2028" not in page.inert.texts["bigviz-index"]


def test_it_tells_only_of_the_columns_that_it_draws(tmp_path: Path) -> None:
    page, _ = exported(points("mean(v)", rows=10), tmp_path)
    [hello] = page.messages(page.index["hello"])
    value, _ = read_json(hello)
    assert hello[0].type == Type.HELLO and value["offline"] is True
    [dataset] = value["datasets"].values()
    assert [column["name"] for column in dataset["columns"]] == ["x", "y", "v"]


def test_an_interrupted_export_leaves_what_was_there(tmp_path: Path) -> None:
    path, cancel = tmp_path / "out.html", Cancel()
    path.write_text("before")

    def progress(stage: str, done: float, rows: int) -> None:
        if stage == "writing":
            cancel.cancel()

    with pytest.raises(Cancelled):
        export_html(points(rows=10), path, Engine(), progress=progress, cancel=cancel)
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(BadInput, match="cannot be written: no such file"):
        export_html(points(rows=10), tmp_path / "none" / "out.html", Engine())


def test_a_dataset_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="ticks"):
        export_html(bv.document(bv.figure(title="t").points("ticks", "x", "y")), tmp_path / "out.html", Engine())
