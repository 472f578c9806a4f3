"""Requests for tiles, taken apart: what is put together again is the request, and others are none."""

from __future__ import annotations

import pytest

from bigviz.server.kept.tile_requests import parted

REST = b" HTTP/1.1\r\nHost: 127.0.0.1:5006\r\nCookie: a=/tiles/1/2/3.npy \r\n\r\n"
TILES = {
    b"GET /points/layers/0/tiles/3/1/2.npy": ("3", "1", "2"),
    b"GET /points/layers/0/tiles/3,14/1/2.png?cmap=bgy&p.a=%2F": ("3,14", "1", "2"),
    b"GET /base/tiles/0/0/0.npy/layers/0/tiles/24/1677/007.arrow": ("24", "1677", "007"),
    b"GET http://127.0.0.1:5006/points/layers/0/tiles/3/1/2.npy": ("3", "1", "2"),
}
OTHERS = (
    b"HEAD /points/layers/0/tiles/3/1/2.npy",
    b"GET /points/layers/0/tiles/3/1/2@2x.png",
    b"GET /points/layers/0/tiles/3/1/-2.png",
    b"GET /points/layers/0/tiles/3/1/2.npy/",
    b"GET /points/layers/0/tiles/3/1/2.json",
    b"GET /points/layers/0/tiles/3/1,1/2.npy",
    b"GET /points/layers/0/tiles/%33/1/2.npy",
    b"GET /points/layers/0/image.npy?a=/tiles/3/1/2.npy",
)


@pytest.mark.parametrize("first", TILES)
def test_a_pattern_and_a_place_are_the_request(first: bytes):
    found = parted(first + REST)
    assert found is not None
    (before, after), (level, i, j) = found
    assert (level, i, j) == TILES[first]
    assert before + f"{level}/{i}/{j}".encode() + after == first + REST


@pytest.mark.parametrize("first", OTHERS)
def test_what_is_no_request_for_a_tile(first: bytes):
    assert parted(first + REST) is None


def test_requests_of_one_pattern_differ_in_the_place_alone():
    first, second = (parted(b"GET /a/layers/0/tiles/" + place + b".npy" + REST) for place in (b"1/0/0", b"2,3/1/7"))
    other = parted(b"GET /a/layers/0/tiles/1/0/0.npy" + REST.replace(b"5006", b"5007"))
    assert first is not None and second is not None and other is not None
    assert first[0] == second[0] != other[0]
