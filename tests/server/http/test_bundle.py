"""The page's modules in one script: each once, after what it imports, and refused where they are written otherwise."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bigviz.server.http.bundle import packed
from bigviz.server.http.pages import STATIC


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "main.js"


def test_modules_run_in_the_order_of_their_imports(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        main='import { twice as double, Pair } from "./a.js";\nimport { one } from "./b.js";\n'
        'console.log(double(one), new Pair().size, typeof later());\nimport { later } from "./b.js";\n',
        a='import { one } from "./b.js";\nexport function twice(x) {\n  return 2 * x * one;\n}\n'
        "export class Pair {\n  size = 2;\n}\n",
        b="/** import { x } from elsewhere */\nconst hidden = 21;\nexport const one = 1;\n"
        "export async function later() {\n  return hidden;\n}\n",
    )
    script = packed(main)
    assert [script.count(f"// {name}.js\n") for name in ("main", "a", "b")] == [1, 1, 1]
    run = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "2 2 object"


def test_paths_are_relative_to_the_module_that_imports(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    main = write(tmp_path, main='import { two } from "./a/two.js";\nconsole.log(two);\n')
    (tmp_path / "a" / "two.js").write_text('import { one } from "../b/one.js";\nexport const two = 2 * one;\n')
    (tmp_path / "b" / "one.js").write_text("export const one = 1;\n")
    script = packed(main)
    run = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "2"


def test_other_packages_stay_imports(tmp_path: Path) -> None:
    main = write(tmp_path, main='import { join as j } from "node:path";\nconsole.log(j("a", "b"));\n')
    script = packed(main)
    assert script.startswith('import * as outside0 from "node:path";\n')
    run = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "a/b"


@pytest.mark.parametrize(
    "line",
    [
        'import "./a.js";',
        'import a from "./a.js";',
        'import * as a from "./a.js";',
        "export { a };",
        "export let a = 1;",
    ],
)
def test_what_is_written_otherwise_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        packed(write(tmp_path, main=f"const b = 1;\n{line}\n", a="export const a = 1;\n"))


def test_modules_that_import_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"main\.js -> a\.js -> main\.js"):
        packed(write(tmp_path, main='import { a } from "./a.js";\n', a='import { b } from "./main.js";\n'))


def test_every_module_of_the_page_is_in_its_script_once() -> None:
    script = packed(STATIC / "main.js")
    names = {path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.js")}
    names -= {"boot.js", "vendor/d3.js", "types.js", "figure/page.js"}  # the last two are types only
    assert sorted(re.findall(r"^// (\S+\.js)\nconst module", script, re.MULTILINE)) == sorted(names)
    assert set(re.findall(r'^import .* from "([^"]+)";$', script, re.MULTILINE)) == {
        "d3-scale", "d3-format", "d3-time-format"
    }  # fmt: skip
