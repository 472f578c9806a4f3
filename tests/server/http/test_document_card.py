"""What a card tells, in words."""

from __future__ import annotations

import pytest

from bigviz.server.http.document_card import address, ago, counted, size_words

NOON = 1_700_049_600.0  # 2023-11-15, 12:00 UTC


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (86_399, "23 h ago"),
        (86_400, "yesterday"),
        (2 * 86_400, "13 Nov"),
        (400 * 86_400, "11 Oct 2022"),
    ],
)
def test_how_long_ago(seconds: float, words: str):
    assert ago(NOON - seconds, NOON) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_000, "1 KB"),
        (1_249, "1.2 KB"),
        (99_499, "99 KB"),
        (999_600, "1 MB"),
        (12_300_000_000, "12 GB"),
        (10**18, "1,000 PB"),
    ],
)
def test_sizes(size: int, words: str):
    assert size_words(size) == words


def test_counts_and_addresses():
    assert [counted(number, "row") for number in (0, 1, 1_234)] == ["0 rows", "1 row", "1,234 rows"]
    assert address("a b/c") == "a%20b%2Fc/"
