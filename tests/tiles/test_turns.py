import threading

import pytest

from bigviz.data.cancel import NEVER, Cancel
from bigviz.data.errors import Cancelled
from bigviz.tiles.turns import Turns


def test_a_build_waits_for_all_requests() -> None:
    turns, through = Turns(), threading.Event()
    turns.give_way(NEVER)
    with turns.request():
        with turns.request():
            builder = threading.Thread(target=lambda: (turns.give_way(NEVER), through.set()))
            builder.start()
        assert not through.wait(0.05)
    assert through.wait(10)
    builder.join()


def test_a_waiting_build_can_be_stopped() -> None:
    turns, cancel, stopped = Turns(), Cancel(), threading.Event()

    def build() -> None:
        with pytest.raises(Cancelled):
            turns.give_way(cancel)
        stopped.set()

    with turns.request():
        builder = threading.Thread(target=build)
        builder.start()
        cancel.cancel()
        assert stopped.wait(10)
    builder.join()


def test_a_failing_request_lets_builds_go_on() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.request():
        raise ZeroDivisionError
    turns.give_way(NEVER)
