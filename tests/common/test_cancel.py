from __future__ import annotations

import pytest

from bigviz.common.cancel import NEVER, Cancel
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
