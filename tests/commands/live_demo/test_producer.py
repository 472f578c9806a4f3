"""`bigviz demo --live`: what it appends and publishes."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bigviz.client.connect import connect
from bigviz.commands.live_demo.producer import Producer, serve_live
from bigviz.common.errors import BadInput

from ...patience import until
from ...server.processes.front_ends import front_ends
from ...server.running import running


def test_a_producer_publishes_and_appends_until_it_is_stopped(tmp_path: Path) -> None:
    with running([], library=tmp_path / "library") as plots:
        plots.await_event("loaded")
        producer = Producer(plots.url)
        assert producer.publish() == f"{plots.url}live/"
        append, rows = producer.readings.append, 0

        def counted(table: object) -> dict[str, object]:
            nonlocal rows
            answer = append(table)
            rows += answer["rows"]
            if answer["version"] == 5:
                producer.stop()
            return answer

        producer.readings.append = counted  # type: ignore[method-assign]
        before = {each["name"]: each["rows"] for each in connect(plots.url).datasets()}
        producer.run()
        found = {each["name"]: each for each in connect(plots.url).datasets()}
        assert found["readings"]["version"] == found["ticks"]["version"] == 5
        assert found["readings"]["rows"] == before["readings"] + rows and found["ticks"]["rows"] > before["ticks"]
        document = connect(plots.url).open("live")
        assert [bool(figure.follow) for figure in document.figures()] == [True, False]


def test_another_producer_goes_on_where_one_has_ended(tmp_path: Path) -> None:
    with running([], library=tmp_path / "library") as plots:
        plots.await_event("loaded")
        first, second = Producer(plots.url), Producer(plots.url)
        assert first.publish() is not None
        trades = first.market.between(first.now, first.now + 1)
        version = first.ticks.append(trades)["version"]
        assert second.publish() is None
        assert second.now == pytest.approx(trades["time"][-1].astype("int64") / 1e6)
        assert second.market.between(second.now, second.now + 0.1)["price"][0] == pytest.approx(
            trades["price"][-1], rel=1e-3
        )
        with connect(plots.url).watch("ticks", version - 1) as appends:
            assert next(appends).version == version  # nothing was appended in between


def test_several_processes_show_it_and_another_one_appends_once_one_is_killed() -> None:
    with front_ends(command=("demo", "--live")) as server:
        plots = connect(server.url)

        def facts() -> dict[str, dict[str, Any]]:
            return {each["name"]: each for each in plots.datasets()}

        until(lambda: facts().get("readings", {}).get("version", 0) > 3)
        writer = server.pids[0]
        os.kill(writer, signal.SIGKILL)
        assert server.told("process", lambda told: "SIGKILL" in told["done"])["pid"] == writer
        before = facts()["ticks"]["version"]
        until(lambda: facts()["ticks"]["version"] > before + 3)
        assert [each["name"] for each in plots.documents()] == ["live"]
        with plots.watch("ticks", 1) as appends:
            batches = [next(appends).rows for _ in range(before + 2)]
        times = pa.Table.from_batches(batches)["time"].cast("int64").to_numpy()
        assert (times[1:] >= times[:-1]).all()  # no second of trades came twice


@pytest.mark.parametrize("option", ["library", "unix_socket"])
def test_it_has_a_library_and_an_address_of_its_own(option: str) -> None:
    with pytest.raises(BadInput, match="leave out --library and --unix-socket"):
        serve_live({"library": None, "unix_socket": None, option: "there"})
