"""The dashboards of examples/: short, each one document that can be drawn, and pictured in docs/gallery.md."""

from __future__ import annotations

import re
import runpy
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bigviz as bv
from bigviz.document.document import collected
from bigviz.document.substitute import offered

from .server.running import running

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "examples" / "dashboards").glob("*.py"))
GALLERY = ROOT / "docs" / "gallery.md"
MOST_BYTES = 150_000  # of a picture: the repository stays small


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_dashboard_is_short_and_makes_its_document(script: Path):
    assert len(script.read_text("utf-8").splitlines()) < 60
    with collected() as made:
        names = runpy.run_path(str(script))
    (document,) = made
    assert document.id == script.stem
    sources = dict(document.sources)
    if script.stem == "market":  # whose rows are a stream's
        rows = names["trades"](np.random.default_rng(0), np.log([100.0, 64.0, 250.0, 18.0]), 0, 60)
        sources["trades"] = bv.open(rows, name="trades")
    loaded = bv.load(document.to_json(), sources=sources)
    assert script.stem == "market" or loaded == document
    for _, layer in document.layers():
        assert list(offered(document, layer))


def test_the_gallery_shows_each_with_its_command_and_a_picture():
    page = GALLERY.read_text("utf-8")
    pictured = re.findall(r"\(gallery/(\w+)\.png\)", page)
    assert sorted(pictured) == [script.stem for script in SCRIPTS if script.stem != "fares"]
    assert "examples/dashboards/fares.py" in page
    for name in pictured:
        assert re.search(rf"^    (bigviz serve|python) examples/dashboards/{name}\.py$", page, re.MULTILINE)
        path = GALLERY.parent / "gallery" / f"{name}.png"
        assert path.stat().st_size < MOST_BYTES
        with Image.open(path) as image:
            assert (image.format, image.width) == ("PNG", 1_280)


def test_the_market_appends_what_its_document_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    own, rest = threading.current_thread(), time.sleep

    def sleep(seconds: float) -> None:
        if threading.current_thread() is not own:  # one of the server's
            rest(seconds)
            return
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    with running([], library=tmp_path / "library") as plots:
        plots.await_event("loaded")
        monkeypatch.setenv("BIGVIZ_URL", plots.url)
        monkeypatch.delenv("BIGVIZ_TOKEN", raising=False)
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(time, "sleep", sleep)
            runpy.run_path(str(ROOT / "examples" / "dashboards" / "market.py"), run_name="__main__")
        server = bv.connect()
        (trades,) = server.datasets()
        assert (trades["name"], trades["rows"]) == ("trades", pytest.approx(180_000, rel=0.1))
        kept = server.http.json("GET", "/market/controls/count.json?p.symbol=%22XYZ%22")["value"]
        assert 0 < kept < server.http.json("GET", "/market/controls/count.json")["value"] < trades["rows"]
