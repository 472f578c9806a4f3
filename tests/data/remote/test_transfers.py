"""What libraries read in their own way: it is waited for, given up and counted as requests are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled, Unreadable
from bigviz.common.threads.waits import waits_end_with
from bigviz.data.remote import settings
from bigviz.data.remote.address import address_of
from bigviz.data.remote.settings import Patience, delta_options
from bigviz.data.remote.transfers import in_own_time

TABLE = address_of("s3://bucket/table")


def test_what_it_gives_and_raises():
    assert in_own_time(TABLE, lambda: threading.current_thread().name) == "bigviz-thread"
    with pytest.raises(KeyError):
        in_own_time(TABLE, lambda: {}["x"])


def test_what_does_not_come_is_not_awaited_and_then_not_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "PATIENCE", Patience(request=0.05))
    gate, calls = threading.Event(), list[int]()

    def call() -> None:
        calls.append(1)
        gate.wait()

    for words in ("did not send it in time",) * 3 + ("is not asked again until",) * 2:
        with pytest.raises(Unreadable, match=words):
            in_own_time(TABLE, call)
    gate.set()
    assert len(calls) == 3


def test_who_does_not_want_it_any_more_does_not_wait():
    gate, began, cancel = threading.Event(), threading.Event(), Cancel()

    def call() -> None:
        began.set()
        gate.wait()

    def wanted() -> None:
        with waits_end_with(cancel):
            in_own_time(TABLE, call)

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(wanted)
        began.wait()
        cancel.cancel()
        with pytest.raises(Cancelled):
            waiting.result()
    gate.set()


def test_deltalake_waits_as_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settings, "PATIENCE", Patience(connect=0.5, silence=2, retries=3, total=9))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://b.example")
    assert delta_options() == {
        "connect_timeout": "500ms", "timeout": "2000ms", "max_retries": "3", "retry_timeout": "9000ms",
    }  # fmt: skip
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://b.example")
    assert delta_options()["allow_http"] == "true"
