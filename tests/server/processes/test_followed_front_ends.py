"""Two front ends whose table grows as a file does: they show the same versions, and one that is killed is missed by
nobody."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bigviz.wire.frames import Type

from ...patience import until
from ..wire import Browser, cells
from .front_ends import FrontEnds, front_ends

TILE = "/log/layers/0/tiles/0/0/0.npy"
FACTS = "/log/layers/0/tilejson.json"


class Log:
    """A file of CSV, and how many rows it has."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        path.write_text("x,y,v\n")
        self.grow(100)

    def grow(self, rows: int) -> int:
        """Write more rows: how many there are then."""
        with self.path.open("a") as file:
            numbers = range(self.rows, self.rows + rows)
            file.write("".join(f"{each % 37},{each % 11},{each / 7}\n" for each in numbers))
        self.rows += rows
        return self.rows


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(tmp_path_factory.mktemp("followed-front-ends") / "log.csv")


@pytest.fixture(scope="module")
def two(log: Log) -> Iterator[FrontEnds]:
    with front_ends("--follow", str(log.path), "--x=x", "--y=y") as found:
        yield found


def facts(server: FrontEnds, pid: int) -> dict[str, Any]:
    answer = server.get(pid, FACTS)
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body))


def follow(page: Browser, version: int) -> None:
    layer = {"layer": 0, "definition": page.definition(), "tiles": [0, 0, 0, 0, 0, 0]}
    page.say(op="follow", versions={"log": version}, figures=[{"figure": 0, "layers": [layer]}])


def shown(page: Browser) -> tuple[int, int]:
    """The version that a page which follows is brought to, and the rows of its tile."""
    *_, tile, told = page.until(lambda got: got.kind in (Type.UPDATE, Type.ERROR))
    return told.value["datasets"]["log"]["version"], int(cells(tile.value.planes[0]).sum())


def test_whoever_is_asked_answers_with_the_same_version(two: FrontEnds, log: Log) -> None:
    for _ in range(3):
        rows = log.grow(10)
        until(lambda rows=rows: facts(two, two.pids[0])["rows"] == rows)
        found = [facts(two, pid) for pid in two.pids]
        assert found[0]["data_version"] == found[1]["data_version"] and found[1]["rows"] == rows
        answers = [two.get(pid, TILE) for pid in two.pids]
        assert answers[0].body == answers[1].body and answers[0].headers["Etag"] == answers[1].headers["Etag"]


def test_no_answer_is_of_an_older_version_than_one_before(two: FrontEnds, log: Log) -> None:
    last, rows = 0, log.grow(10)
    while last < rows:
        for pid in two.pids:
            found = facts(two, pid)["rows"]
            assert found >= last
            last = found


def test_pages_of_one_that_is_killed_go_on_at_the_other(two: FrontEnds, log: Log) -> None:
    for killed in list(two.pids):  # the one that looks at the file, and the one that reads what it has found
        (left,) = [pid for pid in two.pids if pid != killed]
        page = two.page(killed, "log", query="?follow=1")
        page.layer()
        page.view([[0, 0, 0, 0]])
        follow(page, facts(two, killed)["data_version"])
        rows = log.grow(7)
        version, drawn = shown(page)
        assert drawn == rows
        os.kill(killed, signal.SIGKILL)
        with two.page(left, "log", query="?follow=1") as again:
            again.layer()
            again.view([[0, 0, 0, 0]])
            assert facts(two, left)["data_version"] == version
            follow(again, version)
            rows = log.grow(5)
            later, drawn = shown(again)
            assert (drawn, later) == (rows, version + 1)
        new = two.told("process", lambda told: told["done"] == "answers")["pid"]
        found = [facts(two, pid) for pid in (left, new)]
        assert [(each["rows"], each["data_version"]) for each in found] == [(rows, later)] * 2
        tags = [two.get(pid, TILE).headers["Etag"] for pid in (left, new)]
        assert tags[0] == tags[1]


def test_a_file_that_is_written_anew_is_so_for_all(two: FrontEnds, log: Log) -> None:
    before = facts(two, two.pids[0])["data_version"]
    log.path.write_text("x,y,v\n1,1,1\n2,2,2\n")
    until(lambda: facts(two, two.pids[0])["rows"] == 2)
    found = [facts(two, pid) for pid in two.pids]
    assert found[0]["data_version"] == found[1]["data_version"] > before and found[1]["rows"] == 2
