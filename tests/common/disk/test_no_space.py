from __future__ import annotations

import errno

import pytest

from bigviz.common.disk.no_space import no_space
from bigviz.common.errors import NoSpace


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_a_disk_that_takes_no_more_is_no_space(number: int) -> None:
    with pytest.raises(NoSpace) as caught, no_space("The disk is full.", "library"):
        raise OSError(number, "whatever it is called here")
    assert (caught.value.message, caught.value.field) == ("The disk is full.", "library")


def test_other_errors_go_on_as_they_are() -> None:
    with pytest.raises(PermissionError), no_space("The disk is full.", "library"):
        raise PermissionError(errno.EACCES, "not allowed")
