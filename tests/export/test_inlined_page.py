"""The page as one text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bigviz.export.inlined_page import inlined_page
from bigviz.server.http.page_scripts import bundle_of
from bigviz.server.http.pages import STATIC

SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The page's files, without a bundle."""
    copy = tmp_path / "static"
    shutil.copytree(STATIC, copy)
    (copy / "page.js").unlink(missing_ok=True)
    return copy


def test_nothing_is_outside(static: Path):
    page = inlined_page("parent", static=static)
    assert '<div class="bigviz" id="page" data-feed="parent">' in page.text
    markup = SCRIPT.sub("", page.text)
    assert "../_/" not in page.text and "<link" not in markup and "@import" not in markup
    used = set(re.findall(r'href="#(icon-[\w-]+)"', markup))
    assert used and used <= set(re.findall(r'<symbol id="([\w-]+)"', markup))


def test_modules_without_a_bundle_import_each_other_by_name(static: Path):
    page = inlined_page("parent", static=static)
    (kind, text), (module, begin) = SCRIPT.findall(page.text)
    assert kind == ' type="importmap"' and (module, begin) == (' type="module"', 'import "bigviz/main.js";')
    addresses = json.loads(text)["imports"]
    assert {"bigviz/main.js", "bigviz/figure/figure.js", "d3-scale"} <= addresses.keys()
    for address in addresses.values():
        source = base64.b64decode(address.removeprefix("data:text/javascript;base64,")).decode()
        for name in re.findall(r'^(?:import|export)\b(?:[^"\';]*\bfrom)?\s*"([^"]+)"', source, re.MULTILINE):
            assert name in addresses
    assert page.script_sources[-1] == "data:"


def test_the_bundle_is_the_only_script(static: Path):
    subprocess.run(["node", STATIC.parent.parent / "tools" / "bundle.mjs", static / "page.js"], check=True)
    assert bundle_of(static) is not None
    page = inlined_page("file", inert="<p hidden>data</p>", static=static)
    ((module, text),) = SCRIPT.findall(page.text)
    assert module == ' type="module"' and len(text) > 100_000
    assert page.script_sources == (f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'",)
    assert page.text.index("<p hidden>data</p>") < page.text.index(text)
