"""Two front ends whose table the same two workers hold: they answer alike, and one that is killed takes nothing with
it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.wire.frames import Type

from ...patience import until
from .front_ends import FrontEnds, front_ends

ROWS = 6_000
TILE = "/cloud/layers/0/tiles/0/0/0.npy"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnds]:
    """Means of floats, whose last bits depend on the order in which parts are added."""
    folder, rng = tmp_path_factory.mktemp("cluster-front-ends") / "cloud", np.random.default_rng(4)
    folder.mkdir()
    for number in range(4):
        columns = {"x": rng.normal(size=ROWS // 4), "y": rng.normal(size=ROWS // 4), "v": rng.random(ROWS // 4)}
        pq.write_table(pa.table(columns), folder / f"{number}.parquet")
    words = [str(folder), "--x=x", "--y=y", "--agg=mean(v)", "--index=never"]
    with front_ends(*words, "--workers=2") as found:
        until(lambda: all(holds_all(found, pid) for pid in serving(found)))
        yield found


def host(server: FrontEnds) -> int:
    """The process that has the workers: the one whose session is its own."""
    (found,) = [pid for pid in server.pids if os.getsid(pid) == pid]
    return found


def serving(server: FrontEnds) -> list[int]:
    """The front ends."""
    return [pid for pid in server.pids if pid != host(server)]


def workers(server: FrontEnds) -> list[str]:
    """What the process that has the workers has started, in any of its threads."""
    tasks = Path(f"/proc/{host(server)}/task").glob("*/children")
    return sorted(pid for each in tasks for pid in each.read_text().split())


def facts(server: FrontEnds, pid: int) -> dict[str, Any]:
    return dict(json.loads(server.get(pid, "/cloud/layers/0/tilejson.json").body))


def test_both_answer_alike_from_rows_that_are_held_once(two: FrontEnds) -> None:
    held = [facts(two, pid)["workers"] for pid in serving(two)]
    assert held == [{"known": 2, "holding": 2, "rows_held": ROWS}] * 2
    answers = [two.get(pid, TILE) for pid in serving(two)]
    assert [each.status for each in answers] == [200, 200]
    assert answers[0].body == answers[1].body and answers[0].headers["Etag"] == answers[1].headers["Etag"]


def test_one_that_is_killed_leaves_the_workers_as_they_are(two: FrontEnds) -> None:
    before = two.get(serving(two)[0], TILE)
    mine = workers(two)
    for killed in serving(two):
        page = two.page(killed, "cloud")
        page.layer()
        (left,) = [pid for pid in serving(two) if pid != killed]  # soon another one takes its place
        os.kill(killed, signal.SIGKILL)
        with two.page(left, "cloud") as again:
            known = again.layer().value
            assert not known["provisional"]
            (tile,) = [got.value for got in again.view([[0, 0, 0, 0]]) if got.kind == Type.TILE]
            assert tile.estimate is None
        new = two.told("process", lambda told: told["done"] == "answers")["pid"]
        for pid in (left, new):
            answer = two.get(pid, TILE)
            assert (answer.body, answer.headers["Etag"]) == (before.body, before.headers["Etag"])
    assert workers(two) == mine


def test_the_process_of_the_workers_may_be_killed_too(two: FrontEnds) -> None:
    killed, fronts = host(two), serving(two)
    before = two.get(fronts[0], TILE)
    os.kill(killed, signal.SIGKILL)
    assert two.told("process", lambda told: "SIGKILL" in told["done"] and told["pid"] == killed)["number"] == 2
    until(lambda: all(holds_all(two, pid) for pid in fronts))
    for pid in fronts:
        assert two.get(pid, TILE).body == before.body
    assert set(fronts) <= set(two.pids)


def holds_all(server: FrontEnds, pid: int) -> bool:
    answer = server.get(pid, "/cloud/layers/0/tilejson.json")
    return answer.status == 200 and json.loads(answer.body)["workers"]["rows_held"] == ROWS
