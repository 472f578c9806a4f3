"""Why a script failed, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from bigviz.apps.script import run_script
from bigviz.apps.script_failure import ScriptFailed

BEFORE = "import bigviz as bv\n"


def failed(path: Path, text: str) -> ScriptFailed:
    path.write_text(BEFORE + text)
    with pytest.raises(ScriptFailed) as caught:
        run_script(str(path))
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\n1 / 0", 3, "ZeroDivisionError: division by zero"),
        ("def f(:\n  pass", 2, "SyntaxError: invalid syntax"),
        ("  x = 1", 2, "IndentationError: unexpected indent"),
        ("def f():\n  raise KeyError('<b>')\nf()", 3, "KeyError: '<b>'"),
        ("try:\n  1 / 0\nexcept ZeroDivisionError:\n  {}['b']", 5, "KeyError: 'b'"),
        ("import json\njson.loads('{')", 3, "json.decoder.JSONDecodeError: Expecting property name"),
        ("bv.open('nothing.parquet')", 2, "There is no file nothing.parquet."),
        ("raise ValueError('half \\ud800 of a character')", 2, "ValueError: half \\ud800 of a character"),
    ],
)
def test_line_and_message(tmp_path: Path, text: str, line: int, message: str):
    failure = failed(tmp_path / "app.py", text).failure
    assert (failure.file, failure.line) == ("app.py", line)
    assert failure.message.startswith(message)
    assert failure.files == {str(tmp_path / "app.py")}


def test_a_mistake_in_a_module_beside_it(tmp_path: Path):
    (tmp_path / "package").mkdir()
    broken = tmp_path / "package" / "broken.py"
    (tmp_path / "package" / "__init__.py").write_text("from . import broken")
    broken.write_text("\n\nif x\n")
    error = failed(tmp_path / "app.py", "import package")
    assert error.message.startswith("package/broken.py, line 3: SyntaxError: expected ':'")
    assert error.files >= {str(tmp_path / "app.py"), str(tmp_path / "package" / "__init__.py"), str(broken)}
    assert error.failure.trace.startswith("Traceback (most recent call last):\n  File ")
    assert "runpy" not in error.failure.trace and "bigviz" not in error.failure.trace


def test_a_module_that_is_not_there_is_waited_for(tmp_path: Path):
    error = failed(tmp_path / "app.py", "import not_there.at_all")
    assert error.files >= {str(tmp_path / "not_there.py"), str(tmp_path / "not_there" / "__init__.py")}


def test_long_messages_and_traces_are_shortened(tmp_path: Path):
    failure = failed(tmp_path / "app.py", "def f(n):\n  f(n + 1) if n < 500 else {}['x' * 10**6]\nf(0)").failure
    assert len(failure.message) < 2_100 and "characters …" in failure.message
    assert len(failure.trace) < 20_100


def test_a_script_below_a_link(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "helper_below_a_link.py").write_text("1 / 0")
    assert failed(tmp_path / "link" / "app.py", "1 / 0").failure.file == "app.py"
    error = failed(tmp_path / "link" / "app.py", "import helper_below_a_link")
    assert error.failure.file == "helper_below_a_link.py"
