"""What goes between an app and its server is bounded on both ends."""

from __future__ import annotations

import json

import pytest

from bigviz.apps.process.messages import HEAD, MOST_TOLD, pack, sizes
from bigviz.common.errors import TooLarge


def test_a_message_says_how_long_it_and_its_body_are():
    packed = pack({"op": "täll"}, b"rows")
    text, body = sizes(packed[: HEAD.size], 100, 4)
    assert body == 4 and json.loads(packed[HEAD.size :]) == {"op": "täll"} and text == len(packed) - HEAD.size


@pytest.mark.parametrize(("text", "body"), [(101, 0), (1, 5), (1 << 31, 1 << 62)])
def test_a_head_of_more_than_is_taken_is_none(text: int, body: int):
    with pytest.raises(ValueError, match="a message of"):
        sizes(HEAD.pack(text, body), 100, 4)


def test_an_app_that_tells_very_much_hears_of_it():
    with pytest.raises(TooLarge, match=r"1 MiB at once, and this is 2\.0: keep large things in the app"):
        pack({"properties": "x" * (2 << 20)}, most=MOST_TOLD)
