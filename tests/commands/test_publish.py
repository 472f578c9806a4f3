"""`bigviz publish`, `unpublish`, `list`, and `bigviz json NAME`."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import bigviz as bv
from bigviz.cli import cli
from bigviz.library.library import Library

from ..server.running import Running, running

SCRIPT = """import bigviz as bv
plot = bv.figure(title="Sales").line({"x": [1, 2, 3], "y": [4, 6, 5]}, x="x", y="y")
bv.serve(plot)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("BIGVIZ_URL", "BIGVIZ_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "app.py").write_text(SCRIPT)
    return tmp_path


@pytest.fixture
def plots(folder: Path) -> Iterator[Running]:
    with running([], library=folder / "library") as found:
        found.await_event("loaded")
        yield found


def ran(*words: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(cli, list(words))


def test_a_script_is_published_listed_and_taken_away(plots: Running):
    where = ("--url", plots.url)
    made = ran("publish", "app.py", "sales", *where)
    assert made.exit_code == 0 and made.stdout == f"{plots.url}sales/\n"
    heads, row = ran("list", *where).stdout.splitlines()
    assert heads.split() == ["NAME", "TITLE", "OWNER", "SEEN", "BY", "VERSION", "ROWS", "CHANGED"]
    assert row.split()[:5] == ["sales", "Sales", "private", "1", "3"]
    assert ran("publish", "app.py", "sales", "--public", *where).exit_code == 0
    assert ran("list", BIGVIZ_URL=plots.url).stdout.splitlines()[1].split()[2:4] == ["public", "1"]
    assert ran("unpublish", "sales", *where).stdout == "Unpublished sales.\n"
    assert len(ran("list", *where).stdout.splitlines()) == 1
    gone = ran("unpublish", "sales", *where)
    assert gone.exit_code == 1 and gone.stderr.startswith("Error: There is no such document, or you may not see it.")
    assert gone.stderr.endswith(" `bigviz list` lists the documents.\n")


def test_a_documents_json_comes_back_and_is_published(plots: Running, folder: Path):
    where = ("--url", plots.url)
    ran("publish", "app.py", "sales", *where)
    text = ran("json", "sales", *where).stdout
    assert json.loads(text)["id"] == "sales" and bv.load(text) == bv.connect(plots.url).open("sales")
    (folder / "kept.json").write_text(text)
    assert ran("publish", "kept.json", "again", *where).exit_code == 0
    assert ran("json", "sales", "again", "-o", ".", *where).stdout.split() == ["sales.json", "again.json"]


def test_a_token_is_in_a_file_or_in_the_environment(folder: Path):
    with Library.open(folder / "library", serve=True) as library:
        library.users.add("ada")
        secret = library.tokens.create("ada", "write", 1)[1]
        (folder / "token.txt").write_text(f"{secret}\n")
        with running([], library=library) as served:
            served.await_event("loaded")
            where = ("--url", served.url)
            refused = ran("publish", "app.py", "sales", *where)
            assert refused.exit_code == 1 and "--token-file" in refused.stderr
            assert ran("publish", "app.py", "sales", "--token-file", "token.txt", *where).exit_code == 0
            assert " ada " in ran("list", *where, BIGVIZ_TOKEN=secret).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("publish", "app.py", "_"), "is an address of the server itself"),
        (("publish", "app.py", "a/b"), "no slash"),
        (("publish", "nope.py", "a"), "There is no script at nope.py."),
        (("publish", "nope.json", "a"), "There is no file"),
        (("publish", "trips.parquet", "a"), "FILE.py, or a document, FILE.json"),
        (("list", "--token-file", "nope.txt"), "The token in nope.txt cannot be read: no such file"),
        (("list", "--token-file", "empty.txt"), "empty.txt is empty"),
        (("list", "--url", "plots"), "A server's address looks like http://"),
    ],
)
def test_mistakes_are_told_without_a_server(folder: Path, words: tuple[str, ...], said: str):
    (folder / "empty.txt").touch()
    failed = ran(*words)
    assert failed.exit_code == 1 and said in failed.stderr and failed.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [("publish", "app.py", "a"), ("list",), ("unpublish", "a"), ("json", "a")])
def test_no_server_says_how_to_start_one(folder: Path, words: tuple[str, ...]):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        failed = ran(*words, "--url", f"http://127.0.0.1:{free.getsockname()[1]}")
    assert failed.exit_code == 1 and "`bigviz serve --port" in failed.stderr and failed.stderr.count("\n") == 1
