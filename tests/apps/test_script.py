"""Scripts as documents, and running them again."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numba
import pytest

import bigviz
from bigviz.apps.script import ScriptRun, current_run, run_script
from bigviz.apps.script_failure import ScriptFailed
from bigviz.common.errors import BigvizError
from bigviz.document.document import collected, document

HEAD = """
import pyarrow as pa
import bigviz as bv
table = pa.table({"x": [1.0, 2.0], "y": [1.0, 3.0]})
def plot(title):
    return bv.figure(title=title).points(table, "x", "y")
"""


def run(path: Path, text: str) -> str:
    path.write_text(HEAD + text)
    return run_script(str(path))[0].title


def beside(folder: Path) -> list[str]:
    """Names of the modules in memory that lie below a directory."""
    return [
        name for name, module in sys.modules.items() if str(getattr(module, "__file__", "")).startswith(str(folder))
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("bv.serve(plot('served'))\nbv.document(plot('after'))", "served"),
        ("bv.serve(plot('a'))\nbv.serve(bv.document(plot('b')), port=1234)", "b"),
        ("bv.document(plot('first'))\nbv.document(plot('last'))", "last"),
        ("a = plot('figure')", "figure"),
        ("a = plot('figure')\nb = bv.row(plot('row'), a)", "row"),
        ("import sys\nassert __name__ == '__main__' and sys.argv[0].endswith('app.py')\na = plot('main')", "main"),
        ("import sys\nbv.serve(plot('then ended'))\nsys.exit()", "then ended"),
    ],
)
def test_the_last_document_counts(tmp_path: Path, text, title):
    assert run(tmp_path / "app.py", text) == title


def test_scripts_that_make_nothing(tmp_path: Path):
    run(tmp_path / "before.py", "bv.document(plot('before'))")
    with pytest.raises(BigvizError, match=r"^app.py: The script makes no figure"):
        run(tmp_path / "app.py", "x = 1")
    with pytest.raises(BigvizError, match=r"app.py, line 7: The script ended itself: sys.exit\(3\)"):
        run(tmp_path / "app.py", "import sys; sys.exit(3)")


def test_a_script_that_fails_leaves_the_process_as_it_was(tmp_path: Path):
    (tmp_path / "helper_that_fails.py").write_text("import helper_that_works\n1 / 0")
    (tmp_path / "helper_that_works.py").write_text("")
    argv, path, main = list(sys.argv), list(sys.path), sys.modules["__main__"]
    with pytest.raises(ScriptFailed, match=r"^helper_that_fails.py, line 2: ZeroDivisionError: division by zero$"):
        run(tmp_path / "app.py", "import helper_that_fails")
    assert (sys.argv, sys.path, sys.modules["__main__"]) == (argv, path, main)
    assert beside(tmp_path) == [] and current_run() is None
    assert run(tmp_path / "app.py", "a = plot('mended')") == "mended"


def test_scripts_run_within_each_other_and_side_by_side(tmp_path: Path):
    inner, outer = tmp_path / "inner" / "app.py", tmp_path / "app.py"
    inner.parent.mkdir()
    (inner.parent / "only_inside.py").write_text("TITLE = 'inner'")
    (tmp_path / "only_outside.py").write_text("TITLE = 'outer'")
    inner.write_text(f"{HEAD}\nfrom only_inside import TITLE\nbv.serve(plot(TITLE))")
    text = f"""
from bigviz.apps.script import run_script
from only_outside import TITLE
found = run_script({str(inner)!r})[0].title
import only_outside
bv.serve(plot(TITLE + " of " + found))
bv.document(plot("not served"))
"""
    assert run(outer, text) == "outer of inner"
    titles: list[str] = []
    with collected() as made:
        thread = threading.Thread(target=lambda: titles.append(run_script(str(inner))[0].title))
        thread.start()
        thread.join()
        document(bigviz.figure(title="mine"))
    assert titles == ["inner"] and [each.title for each in made] == ["mine"]


def test_modules_beside_a_script_are_imported_anew(tmp_path: Path):
    package = tmp_path / "package_beside"
    spaces = tmp_path / "package_without_init"
    package.mkdir()
    spaces.mkdir()
    (package / "__init__.py").write_text("from .inside import TITLE")
    (spaces / "part.py").write_text("PART = 'part'")
    for title in ("one", "second"):
        (package / "inside.py").write_text(f"TITLE = {title!r}")
        text = "from package_beside import TITLE\nimport package_without_init.part as p\na = plot(TITLE + ' ' + p.PART)"
        assert run(tmp_path / "app.py", text) == f"{title} part"
    _, files = run_script(str(tmp_path / "app.py"))
    assert files == {str(package / "__init__.py"), str(package / "inside.py"), str(spaces / "part.py")}
    assert beside(tmp_path) == []


def test_links(tmp_path: Path):
    """A link to a script, as under `python app.py`, has the modules where it leads; a linked package is the author's
    own."""
    project, shared, bin_ = (tmp_path / name for name in ("project", "shared", "bin"))
    for each in (project, shared, bin_):
        each.mkdir()
    (shared / "__init__.py").write_text("TITLE = 'one'")
    (project / "linked_package").symlink_to(shared)
    (project / "app.py").write_text(f"{HEAD}\nfrom linked_package import TITLE\na = plot(TITLE)")
    (bin_ / "app.py").symlink_to(project / "app.py")
    (tmp_path / "other").symlink_to(project)
    for number, path in enumerate((project / "app.py", bin_ / "app.py", tmp_path / "other" / "app.py")):
        (shared / "__init__.py").write_text(f"TITLE = 'number {number} {'.' * number}'")
        made, files = run_script(str(path))
        assert made.title.startswith(f"number {number}")
        assert files == {str(project / "linked_package" / "__init__.py")}


IN_A_VENV = """
import sys, types, importlib
sys.path.insert(0, {checkout!r})
from bigviz.apps.script import run_script

def title():
    return run_script({app!r})[0].title

assert title() == "one 1"
import numba, numpy, colorcet
kept = {{name: module for name, module in sys.modules.items() if ".venv" in str(getattr(module, "__file__", ""))}}
assert "numba" in kept and kept["numba"].__file__.startswith({venv!r}), numba.__file__
open({helper!r}, "w").write("TITLE = 'two'")
open({editable!r}, "w").write("NUMBER = 22")
assert title() == "two 22"
for name, module in kept.items():
    assert sys.modules[name] is module, name
assert [name for name in sys.modules if name.startswith(("helper", "edited"))] == []
print("done")
"""
APP = """
import numba
import colorcet, only_installed
from helper import TITLE
from edited import NUMBER

@numba.njit
def one():
    return 1

one()
a = plot(f"{TITLE} {NUMBER}")
"""


def test_a_virtual_environment_beside_the_script(tmp_path: Path):
    """With all that is installed below the script's directory, numba and the app's own jitted functions too, only the
    helper next to it and the package installed editable from below are imported anew."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    (packages,) = (tmp_path / ".venv" / "lib").glob("python*/site-packages")
    for each in Path(numba.__file__).parent.parent.iterdir():
        if each.suffix != ".pth" and not each.name.startswith("bigviz"):
            (packages / each.name).symlink_to(each)
    (packages / "only_installed.py").write_text("")
    source = tmp_path / "src" / "edited"
    source.mkdir(parents=True)
    (packages / "edited.pth").write_text(str(source.parent))
    (source / "__init__.py").write_text("NUMBER = 1")
    (tmp_path / "helper.py").write_text("TITLE = 'one'")
    (tmp_path / "app.py").write_text(HEAD + APP)
    program = IN_A_VENV.format(
        checkout=str(Path(bigviz.__file__).parent.parent),
        app=str(tmp_path / "app.py"),
        venv=str(tmp_path / ".venv"),
        helper=str(tmp_path / "helper.py"),
        editable=str(source / "__init__.py"),
    )
    python = tmp_path / ".venv" / "bin" / "python"
    found = subprocess.run([python, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert found.stdout == "done\n", found.stderr


def test_what_is_called_with_what_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text(
        "import bigviz as bv\n"
        "def heard(name, version, rows): pass\n"
        "bv.serve(bv.figure(title='Plot').points({'a': [1], 'b': [2]}, 'a', 'b'), on_append=heard)\n"
    )
    run = ScriptRun(str(path))
    run_script(str(path), run)
    assert run.on_append is not None and run.on_append("ticks", 1, None) is None
