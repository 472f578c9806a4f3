"""The flag that ends work, and a lock that is waited for under it."""

from __future__ import annotations

import threading

import pytest

from bigviz.common.cancel import NEVER, Cancel, locked
from bigviz.common.errors import Cancelled


def test_the_flag_goes_up_once_and_stays() -> None:
    cancel = Cancel()
    cancel.check()
    assert not cancel.cancelled
    cancel.cancel()
    cancel.cancel()
    assert cancel.cancelled
    with pytest.raises(Cancelled):
        cancel.check()


def test_nobody_cancels_the_shared_one() -> None:
    with pytest.raises(RuntimeError, match="shared"):
        NEVER.cancel()
    NEVER.check()


def test_a_lock_is_waited_for_until_the_flag_goes_up() -> None:
    lock, cancel = threading.Lock(), Cancel()
    with locked(lock, cancel):
        assert lock.locked()
        cancel.cancel()
        with pytest.raises(Cancelled), locked(lock, cancel):
            pass
    with locked(lock, cancel):  # one that is free is taken without a look at the flag
        assert lock.locked()
    assert not lock.locked()
