"""`bigviz serve` and `bigviz demo` as processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bigviz.cli import cli

from ..command_line import BIGVIZ, ROWS, Process, layer, ran, serving, tables_in
from ..fetch import fetched
from ..patience import PATIENCE, eventually
from ..serving import served


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tables_in(tmp_path_factory.mktemp("tables"))


def test_serve_says_where_it_is_first_and_then_the_facts(folder: Path):
    with serving("serve", folder / "trips.parquet") as (process, url):
        assert process.seen == [f"bigviz is at {url}  (Ctrl-C ends it)"] and url.endswith("/trips/")
        port = url.split(":")[2].split("/")[0]
        for word in (
            f"127.0.0.1:{port}",
            f"http://localhost:{port}",
            "/D/layers/L/tilejson.json",
            "viewers",
            "1,000 rows",
        ):
            process.until(word)
        assert layer(url)["rows"] == ROWS and b"importmap" in fetched(url)
        process.until("indexed")


def test_a_script_that_fails_is_told_and_no_address(tmp_path: Path):
    (tmp_path / "app.py").write_text("import bigviz as bv\nbv.figure().points({'x': [1]}, 'x', 'x', agg='men(x)')\n")
    found = ran("serve", "app.py", "--no-browser", "--port", "0", cwd=tmp_path)
    assert found.returncode == 1 and found.stdout == "bigviz has stopped.\n"
    assert found.stderr.startswith("Error: app.py, line 2: ") and found.stderr.count("\n") == 1


def test_serve_as_json(folder: Path):
    with serving("serve", folder / "trips.parquet", "--log-json") as (process, url):
        events = [json.loads(process.seen[0])]
        while events[-1]["event"] != "built":
            events.append(json.loads(process.until("")))
        assert [each["event"] for each in events][:2] == ["listening", "facts"]
        assert events[0]["url"] == url and set(events[1]) >= {"hosts", "origins", "routes", "viewers"}
        fetched(url)
        process.process.send_signal(signal.SIGTERM)
        assert json.loads(process.until("stopped"))["event"] == "stopped"


def test_an_index_cut_short_under_a_server_is_named_in_the_log(folder: Path, tmp_path: Path):
    stores = tmp_path / "stores"
    assert ran("index", folder / "trips.parquet", "--x", "x", "--y", "y", "--out", stores).returncode == 0
    options = ("--x", "x", "--y", "y", "--store-dir", stores, "--index", "existing")
    with serving("serve", folder / "trips.parquet", *options) as (process, url):
        process.until(f"indexes  {stores}")
        assert '"Fatal Python error: Bus error"' in process.until("Bus error")
        process.until("indexed")
        (keys,) = stores.glob("*/keys.arrow")
        os.truncate(keys, 100)
        with pytest.raises(OSError):
            fetched(f"{url}layers/0/tiles/3/3/3.png")
        assert process.process.wait(PATIENCE) == -signal.SIGBUS
        assert "Fatal Python error: Bus error" in process.process.stderr.read()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(folder: Path, ending: signal.Signals):
    with serving("serve", folder / "trips.parquet") as (process, _):
        process.process.send_signal(ending)
        assert process.process.wait(PATIENCE) == 0
        process.until("bigviz has stopped.")
        assert process.process.stderr.read() == ""


def test_a_signal_in_the_middle_of_a_large_build(tmp_path: Path):
    rng = np.random.default_rng(0)
    rows = 3_000_000
    pq.write_table(pa.table({"x": rng.random(rows), "y": rng.random(rows)}), tmp_path / "large.parquet")
    with serving("serve", tmp_path / "large.parquet") as (process, _):
        process.until("opened")
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(PATIENCE) == 0


def test_columns_aggregate_and_glyph(folder: Path):
    words = ["trips.parquet", "--x", "y", "--y", "fare", "--agg", "mean(x)", "--port", "0"]
    with served(words, folder) as running:
        assert layer(running.await_event("listening")["url"])["reduction"] == "mean(x)"


def test_columns_without_a_number_are_told_of(tmp_path: Path):
    pq.write_table(pa.table({"x": pa.array([None, None], pa.float64()), "y": [1.0, 2.0]}), tmp_path / "t.parquet")
    with serving("serve", tmp_path / "t.parquet", "--x", "x", "--y", "y") as (process, url):
        assert "none of the 2 rows has a finite x and y" in process.until("none of")
        assert layer(url)["range"] is None


def test_a_log_axis_without_numbers_above_zero_is_told_of(tmp_path: Path):
    pq.write_table(pa.table({"x": [-1.0, -2.0], "y": [1.0, 2.0]}), tmp_path / "t.parquet")
    with serving("serve", tmp_path / "t.parquet", "--x", "x", "--y", "y", "--xaxis", "log") as (process, _):
        assert "has a finite x and y, with x above 0, as a log axis needs." in process.until("none of")


def test_more_connections_than_files_may_be_open(folder: Path):
    """With room for 36 connections, 60 come: some are closed, and the server goes on."""
    command = ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh", *BIGVIZ, "serve", folder / "trips.parquet"]
    process = Process("--port", 0, "--no-browser", command=command)
    try:
        url = process.until("http").split()[3]
        process.until("indexed")
        port = int(url.split(":")[2].split("/")[0])
        crowd = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(60)]
        with suppress(ConnectionResetError):
            assert crowd[-1].recv(1) == b"", "one too many is closed at once"
        for each in crowd:
            each.close()
        assert eventually(lambda: layer(url))["rows"] == ROWS
        assert "Too many open files" not in process.end()
    finally:
        process.close()


def test_several_paths_names_and_the_hint(folder: Path):
    paths = [folder / "part-0.parquet", folder / "part-1.parquet"]
    with serving("serve", *paths, f"mine={folder / 'part-*.parquet'}") as (process, url):
        process.until("indexed")
        assert [each["name"] for each in documents(url)] == ["part-0", "part-1", "mine"] and url.count("/") == 3
        assert layer(f"{url}mine/")["rows"] == 2 * ROWS
    with serving("serve", *paths) as (process, url):
        process.until("indexed")
        assert f"bigviz serve '{folder}/part-*.parquet'" in process.end()


def test_without_a_path_it_keeps_what_is_published(tmp_path: Path):
    with serving("serve", "--library", tmp_path / "library") as (_, url):
        assert url.count("/") == 3 and documents(url) == []
        second = ran("serve", "--library", tmp_path / "library", "--port", 0, "--no-browser", cwd=tmp_path)
        assert second.returncode == 1 and "another server" in second.stderr
        assert (tmp_path / "library" / "library.sqlite").exists()


def test_an_address_that_others_reach_needs_users(folder: Path):
    found = ran("serve", folder / "trips.parquet", "--address", "0.0.0.0", "--port", 0, "--no-browser", cwd=folder)
    assert found.returncode == 1 and "bigviz user add" in found.stderr and "--allow-anonymous" in found.stderr


def documents(url: str) -> list[dict]:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)["documents"]


def test_a_port_in_use(folder: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = ran("serve", folder / "trips.parquet", "--port", port, "--no-browser")
    assert found.returncode == 1 and f"Port {port} of 127.0.0.1 is in use: try --port" in found.stderr


SCRIPT = """
import pyarrow as pa
import bigviz as bv
table = pa.table({{"x": [1.0, 2.0], "y": [1.0, 3.0]}})
bv.serve(bv.figure(title="{title}").points(table, "x", "y"))
"""


def test_a_script_and_its_changes(tmp_path: Path):
    script = tmp_path / "app.py"
    script.write_text("import nothing_of_that_name")
    with serving("serve", script, "--dev", "--log-json") as (process, url):
        assert "nothing_of_that_name" in process.until('"level": "error"')
        with pytest.raises(urllib.error.HTTPError) as failed:
            layer(url)
        assert failed.value.code == 503 and "nothing_of" not in failed.value.read().decode()
        assert fetched(url)
        script.write_text(SCRIPT.format(title="One"))
        process.until("loaded")
        assert url.endswith("/app/") and layer(url)["name"] == "One"
        process.until("built")
        script.write_text("1 / 0  # a mistake")
        assert "ZeroDivisionError" in process.until('"level": "error"')
        assert layer(url)["name"] == "One"
        script.write_text(SCRIPT.format(title="Another"))
        process.until("reloaded")
        assert layer(url)["name"] == "Another"
    script.write_text("1 / 0")
    found = ran("serve", script, "--no-browser", "--port", 0)
    assert found.returncode == 1 and "ZeroDivisionError" in found.stderr
    assert CliRunner().invoke(cli, ["serve", str(script), "--x", "a"]).exit_code == 2


def test_a_file_that_changes_or_vanishes_while_it_is_served(folder: Path, tmp_path: Path):
    path = tmp_path / "going.parquet"
    path.write_bytes((folder / "trips.parquet").read_bytes())
    with serving("serve", path) as (process, url):
        process.until("indexed")
        assert layer(url)["rows"] == ROWS
        path.unlink()
        assert layer(url)["rows"] == ROWS, "what is in memory is served on"
        with pytest.raises(urllib.error.HTTPError) as failed:
            layer(url, "?agg=mean(fare)")
        error = json.loads(failed.value.read())
        assert failed.value.code == 422 and "going.parquet" in error["error"]
        assert fetched(url.replace("going/", "healthz"))


def test_sample_and_demo(tmp_path: Path):
    found = ran("sample", tmp_path, "--rows", 2_000)
    assert found.returncode == 0 and found.stdout.split() == [
        str(tmp_path / "points.parquet"),
        str(tmp_path / "walk.parquet"),
    ]
    assert pq.read_metadata(tmp_path / "points.parquet").num_rows == 2_000
    before = (tmp_path / "walk.parquet").stat().st_mtime_ns
    with serving("demo", "--directory", tmp_path, "--rows", 2_000) as (process, url):
        assert url.endswith("/demo/") and len(documents(url.removesuffix("demo/"))) == 3
        assert layer(url)["rows"] == 2_000
        assert layer(url.replace("demo/", "walk/"))["reduction"] == "any"
        assert "What to look at" in process.end()
    assert (tmp_path / "walk.parquet").stat().st_mtime_ns == before, "a sample that is there is kept"


def test_the_live_demo_streams_and_leaves_nothing(tmp_path: Path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = [*BIGVIZ, "demo", "--live", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            url = next(line.split()[-1] for line in process.stderr if line.startswith("live plots are at"))
            (library,) = tmp_path.iterdir()
            assert library.name.startswith("bigviz-live-") and url.endswith("/live/")
            before = layer(url)["rows"]

            def grown() -> None:
                if layer(url)["rows"] <= before:
                    raise OSError("no rows have come")

            eventually(grown)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=PATIENCE)[1] == "" and process.returncode == 0
        finally:
            process.kill()
    assert not list(tmp_path.iterdir())
    refused = ran("demo", "--live", "--directory", tmp_path)
    assert refused.returncode == 2 and "leave out --directory" in refused.stderr


def test_a_browser_is_opened_unless_told_not_to(folder: Path, tmp_path: Path):
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    process = Process("serve", folder / "trips.parquet", "--port", 0, env={**os.environ, "BROWSER": f"{browser} %s"})
    try:
        url = process.until("http").split()[3]
        assert opened.read_text().strip() == url
    finally:
        process.close()


def test_no_browser_is_opened_for_what_cannot_be_shown(folder: Path, tmp_path: Path):
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\ntouch {opened}\n")
    browser.chmod(0o755)
    environment = {**os.environ, "BROWSER": f"{browser} %s"}
    found = ran("serve", folder / "trips.parquet", "--x", "nope", "--port", 0, env=environment)
    assert found.returncode == 1 and "no column 'nope'" in found.stderr and not opened.exists()
    assert found.stdout == "", "nothing has listened"
