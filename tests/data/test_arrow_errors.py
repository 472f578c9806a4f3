"""Only what can come of damage is called damaged."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data.arrow_errors import reading


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize(
    ("error", "words", "damaged"),
    [
        (pa.ArrowInvalid("bad offsets"), "cannot be read as X: bad offsets", True),
        (OSError("Couldn't deserialize thrift"), "deserialize thrift", True),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "invalid start byte", True),
        (pa.ArrowNotImplementedError("a type"), "a type.*pyarrow .* does not support this", False),
        (OSError("Not yet implemented: DecodeArrow"), "pyarrow .* does not support this", False),
        (pa.ArrowInvalid("Unsupported codec"), "pyarrow .* does not support this", False),
        (ValueError("Decryption failed: no key"), "is encrypted; bigviz has no keys", False),
    ],
)
def test_what_pyarrow_raises(error: Exception, words: str, damaged: bool, in_memory: bool) -> None:
    with pytest.raises(Unreadable, match=rf"^The thing .*{words}") as caught, reading("The thing", "X", in_memory):
        raise error
    assert (
        ("damaged" in caught.value.message) == ("copy it again" in caught.value.message) == (damaged and not in_memory)
    )


def test_what_the_system_refuses() -> None:
    words = r"Input/output error.*Check the file, its permissions and its disk"
    with pytest.raises(Unreadable, match=words) as caught, reading("t.parquet", "Parquet"):
        raise OSError(5, "Input/output error")
    assert "damaged" not in caught.value.message


def test_what_memory_cannot_hold() -> None:
    for in_memory in (False, True):
        with pytest.raises(TooLarge, match="more memory") as caught, reading("The table", in_memory=in_memory):
            raise MemoryError("malloc of 4 PB")
        assert ("damaged" in caught.value.message) != in_memory
