"""The page loads every module once: with a hint for each, or in the bundle that was made of these very modules."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bigviz.server.http.page_scripts import MAIN, digest_of, imported, module_files, with_scripts
from bigviz.server.http.pages import STATIC

PAGE = (STATIC / "index.html").read_text("utf-8")
HINT = re.compile(r'<link rel="modulepreload" href="\.\./_/static/([^"]+)">')


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """The page's files, without a bundle that a clone may have."""
    shutil.copytree(STATIC, tmp_path / "static")
    (tmp_path / "static" / "page.js").unlink(missing_ok=True)
    return tmp_path / "static"


def write(folder: Path, **modules: str) -> None:
    for name, text in modules.items():
        path = folder / f"{name.replace('__', '/')}.js"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def test_what_a_module_imports_nearest_first(tmp_path: Path) -> None:
    write(
        tmp_path,
        main='import { a } from "./a/a.js";\nimport "./b.js";\n',
        a__a='import {\n  b,\n  d,\n} from "../b.js";\nexport * from "./c.js";\nimport { far } from "d3";\n',
        b='/** @typedef {import("./types.js").T} T */\nexport const from = "./types.js";\n',
        a__c='import { gone } from "./gone.js";\nimport { main } from "../main.js";\n',
        types="export {};\n",
        vendor__d3="export const far = 1;\n",
    )
    assert imported(tmp_path, "main.js", {"d3": "vendor/d3.js"}) == ["a/a.js", "b.js", "a/c.js", "vendor/d3.js"]
    assert "vendor/d3.js" not in imported(tmp_path, "main.js", {})


def test_every_module_that_runs_has_a_hint(static: Path) -> None:
    page = with_scripts(PAGE, static)
    hinted = HINT.findall(page)
    assert MAIN in page and len(hinted) == len(set(hinted))
    files = {path.relative_to(static).as_posix(): path.read_text("utf-8") for path in module_files(static)}
    types = {name for name, text in files.items() if re.search(r"^export \{\};$", text, re.MULTILINE)}
    alone = {"boot.js", "copy.js", "keep_hash.js", "list.js", "widget.js", "embed/autoload.js", "embed/refused.js"}
    assert set(hinted) == files.keys() - types - alone - {"main.js"}


def test_a_bundle_is_loaded_while_it_is_of_the_modules_beside_it(static: Path) -> None:
    subprocess.run(["node", STATIC.parent.parent / "tools" / "bundle.mjs", static / "page.js"], check=True)
    script = (static / "page.js").read_text("utf-8")
    assert digest_of(static) in script.splitlines()[0]
    assert not re.search(r"^import\b", script, re.MULTILINE), "third-party modules are in it"
    page = with_scripts(PAGE, static)
    assert page == PAGE.replace("main.js", "page.js")
    (static / "dom.js").write_text((static / "dom.js").read_text("utf-8") + "\n")
    stale = with_scripts(PAGE, static)
    assert MAIN in stale and HINT.search(stale)


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    write(tmp_path, a="1", b="2")
    first = digest_of(tmp_path)
    (tmp_path / "page.js").write_text("3")
    assert digest_of(tmp_path) == first
    write(tmp_path, a="2", b="1")
    assert digest_of(tmp_path) != first
