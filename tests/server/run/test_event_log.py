"""What the operator reads."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys

import pytest

from bigviz.server.run.event_log import Reporter

from ...patience import PATIENCE


def said(as_json: bool = False, quiet: bool = False) -> str:
    out = io.StringIO()
    report = Reporter(as_json, quiet, out)
    report("listening", url="http://127.0.0.1:1/a/", port=1)
    report("facts", hosts=["a", "b"], origins=["http://a"], routes=["/"], viewers=0)
    report("connected", document="a", viewers=2)
    report("request", route="tiles", status=200)
    report("loaded", datasets={"a": 1_234_567})
    report.flush(PATIENCE)
    return out.getvalue()


def test_lines_for_people():
    lines = said().splitlines()
    assert lines[0] == "bigviz is at http://127.0.0.1:1/a/  (Ctrl-C ends it)"
    assert lines[1].split() == ["hosts", "a,", "b"] and "viewers  2 (a)" in lines[5]
    assert lines[-1] == "  opened   a: 1,234,567 rows" and "tiles" not in said()


def test_what_an_app_prints_and_its_tracebacks_are_there_for_people():
    out = io.StringIO()
    report = Reporter(out=out)
    report("app", app="sales", line="hello")
    report("app", app="sales", line="Traceback (most recent call last):\n  boom\nZeroDivisionError\n")
    report("restarted", path="/x/sales.py")
    report.flush(PATIENCE)
    assert out.getvalue().splitlines() == [
        "  sales    hello",
        "  sales    Traceback (most recent call last):",
        "  sales      boom",
        "  sales    ZeroDivisionError",
        "  started  /x/sales.py again",
    ]


def test_control_characters_in_names_do_not_reach_the_terminal():
    out = io.StringIO()
    report = Reporter(out=out)
    report("built", dataset="a", layer="count of \x1b]0;x\x07\x9b2J, y", seconds=0.1)
    report.flush(PATIENCE)
    assert out.getvalue() == "  indexed  a: count of \\x1b]0;x\\x07\\x9b2J, y in 0.1 s\n"


def test_lines_for_programs():
    events = [json.loads(line) for line in said(as_json=True).splitlines()]
    assert [event["event"] for event in events] == ["listening", "facts", "connected", "request", "loaded"]
    assert events[0]["url"] == "http://127.0.0.1:1/a/" and events[3]["status"] == 200
    assert all(isinstance(event["time"], float) for event in events)


def test_where_indexes_are_and_what_a_log_that_ends_with_a_signal_means():
    out = io.StringIO()
    report = Reporter(out=out)
    report("indexes", directory="/data/indexes")
    report.flush(PATIENCE)
    first, second, third = out.getvalue().splitlines()
    assert first == "  indexes  /data/indexes" and "Fatal Python error: Bus error" in second and "start again" in third


def test_quiet_says_nothing():
    assert said(quiet=True) == ""


@pytest.fixture
def loggers():
    kept = [(logging.getLogger(name), logging.getLogger(name).handlers[:]) for name in ("bigviz", "tornado")]
    yield
    for logger, handlers in kept:
        logger.handlers, logger.propagate = handlers, True
        logger.setLevel(logging.NOTSET)


def test_logs_go_the_same_way(loggers):
    out = io.StringIO()
    report = Reporter(True, out=out)
    report.catch_logs()
    try:
        raise KeyError("inner")
    except KeyError:
        logging.getLogger("bigviz").exception("it %s", "broke")
    logging.getLogger("tornado.access").warning("404 GET /?token=secret")
    report.flush(PATIENCE)
    (line,) = out.getvalue().splitlines()
    found = json.loads(line)
    assert (found["event"], found["level"]) == ("log", "error")
    assert found["message"].startswith("it broke") and "KeyError: 'inner'" in found["message"]


def test_a_pipe_that_nobody_reads_stops_nobody():
    """More than a pipe and the queue hold; then the reading end is closed."""
    reading, writing = os.pipe()
    out = open(writing, "w")  # noqa: SIM115  closing it fails, as it does in a process whose reader has gone
    report = Reporter(out=out)
    for number in range(30_000):
        report("connected", document="x" * 50, viewers=number)
    report.flush(0.01)
    os.close(reading)
    report.flush(PATIENCE)
    assert report._lines.unfinished_tasks == 0
    report("connected", document="y", viewers=1)
    report.flush(PATIENCE)
    with pytest.raises(BrokenPipeError):
        out.close()


def test_what_was_printed_is_in_order_and_whole():
    reading, writing = os.pipe()
    with open(writing, "w") as out, open(reading) as lines:
        report = Reporter(out=out)
        for number in range(500):
            report("connected", document="x", viewers=number)
        report.flush(PATIENCE)
        out.close()
        assert [int(line.split()[1]) for line in lines] == list(range(500))


def test_a_line_that_has_no_bytes_is_escaped_and_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bigviz.server.run.event_log._PAUSE", 0.2)  # so that they are written at once
    data = io.BytesIO()
    out = io.TextIOWrapper(data, "ascii")
    report = Reporter(out=out)
    for text in ("before", "\ud800 \u00e9", "after"):
        report("log", message=text)
    report.flush(PATIENCE)
    assert data.getvalue().decode("ascii").splitlines() == ["before", "\\ud800 \\xe9", "after"]


@pytest.mark.parametrize("reads", [False, True])
def test_an_interpreter_closes_whether_or_not_its_lines_are_read(reads: bool):
    code = (
        "from bigviz.server.run.event_log import Reporter\n"
        "report = Reporter()\n"
        "for k in range(5000): report('log', message='y' * 100)\n"
        f"report.flush({PATIENCE if reads else 0.3})\n"
    )
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
    with process:
        assert process.stdout is not None
        if reads:
            assert process.stdout.read() == b"y" * 100 + b"\n" + (b"y" * 100 + b"\n") * 4999
        assert process.wait(PATIENCE) == 0
