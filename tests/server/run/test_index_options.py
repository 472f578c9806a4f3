"""Where indexes are kept, as operators say it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput
from bigviz.server.run.index_options import INDEX_MODES, Storage, bytes_of_text, renamed_mode
from bigviz.server.run.options import Options


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1000000", 1_000_000),
        ("7B", 7),
        ("20GB", 20_000_000_000),
        ("20 gb", 20_000_000_000),
        ("20G", 20_000_000_000),
        ("512MiB", 512 << 20),
        ("1.5T", 1_500_000_000_000),
        (" 2 Ki ", 2048),
        ("1PiB", 1 << 50),
    ],
)
def test_sizes(text: str, size: int):
    assert bytes_of_text(text, "store-limit") == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1e9", "12x", "1.", "0x10", "1,000", "12 GB GB", "٣GB", "9" * 400])
def test_what_is_no_size(text: str):
    with pytest.raises(BadInput, match="--store-limit is a size such as 20GB") as caught:
        bytes_of_text(text, "store-limit")
    assert caught.value.field == "store-limit" and caught.value.got == text


@given(st.text(max_size=10))
def test_any_text_is_a_size_or_bad_input(text: str):
    with suppress(BadInput):
        assert bytes_of_text(text, "store-limit") >= 0


def test_former_words_of_index_still_mean_something():
    assert all(renamed_mode(mode) == (mode, None) for mode in INDEX_MODES)
    mode, hint = renamed_mode("asked")
    assert mode == "existing" and hint is not None and "existing" in hint


def test_options_say_it():
    assert Options().storage == Storage(None, None, "auto")
    assert Options(store_dir="/a", store_limit=5, index="never").storage == Storage(Path("/a"), 5, "never")
    assert Options(cache=1 << 30).storage == Storage(memory=1 << 30)
    for options, field in (({"index": "sometimes"}, "index"), ({"store_limit": -1}, "store-limit")):
        with pytest.raises(BadInput) as caught:
            Options(**options).check()
        assert caught.value.field == field
