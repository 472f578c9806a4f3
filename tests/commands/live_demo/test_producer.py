"""`bigviz demo --live`: what it appends and publishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bigviz.client.connect import connect
from bigviz.commands.live_demo.producer import Producer, serve_live
from bigviz.common.errors import BadInput

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


@pytest.mark.parametrize("option", ["library", "unix_socket"])
def test_it_has_a_library_and_an_address_of_its_own(option: str) -> None:
    with pytest.raises(BadInput, match="leave out --library and --unix-socket"):
        serve_live({"library": None, "unix_socket": None, option: "there"})
