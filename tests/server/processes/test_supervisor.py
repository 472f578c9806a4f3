"""The process that starts the others, where it cannot start them."""

from __future__ import annotations

import errno
import os
import shutil
import time
from typing import Any

import pytest

from bigviz.server.processes.supervisor import Supervisor
from bigviz.server.run.options import Options


def test_a_process_that_cannot_be_started_is_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    supervisor = Supervisor(Options(port=0), 2, lambda front_end: 0, lambda event, **facts: told.append(facts))

    def fork() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", fork)
    try:
        supervisor._start_due(set())
    finally:
        supervisor._bound.close()
        for each in supervisor._inner:
            each.close()
        for end in supervisor._lifeline:
            os.close(end)
        shutil.rmtree(supervisor._folder)
    assert all(each.pid is None and each.at > time.monotonic() for each in supervisor._children)
    assert ["temporarily unavailable" in facts["message"] for facts in told] == [True, True]
