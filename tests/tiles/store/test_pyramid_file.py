"""Planes on disk: what is read is what was put, whatever was interrupted, and never what was damaged."""

from pathlib import Path

import numpy as np
import pytest

from bigviz.common.errors import Unreadable
from bigviz.render.level_values import LevelValues
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.pyramid.accumulators import Kept
from bigviz.tiles.store import pyramid_file
from bigviz.tiles.store.pyramid_file import ENTRIES, PAYLOADS, PlaneFile
from bigviz.wire.codec import encode_counts, encode_values


def planes(count: int, seed: int = 1) -> dict[TileKey, Kept]:
    """Tiles of two planes of values with counts: empty, constant, sparse and full ones."""
    rng = np.random.default_rng(seed)
    made = {}
    for k in range(count):
        share = (0, 1, 0.001, 0.5)[k % 4]
        filled = rng.random((256, 256)) < share
        counts = np.where(filled, rng.integers(1, 9, (256, 256)), 0).astype(np.uint32)
        values = np.where(filled, rng.normal(size=(256, 256)), 0)
        if k % 4 == 1:
            values[:] = 2.5
        pair = [encode_values(values + plane, filled, plane) for plane in (0, 1)]
        made[TileKey(k % 25, 24 - k % 25, k % 7, k)] = Kept(
            tuple(pair), tuple(encode_counts(counts, p) for p in (0, 1))
        )
    return made


def fill(folder: Path, tiles: dict[TileKey, Kept]) -> None:
    shelf = PlaneFile(folder, 2, 2, write=True)
    for tile, kept in tiles.items():
        shelf.put(tile, kept)
    shelf.finish()
    shelf.close()


def equal(one: Kept | None, other: Kept) -> bool:
    return repr(one) == repr(other)  # NaN is itself here


@pytest.mark.parametrize("flush", [1, 100_000, 1 << 40])
def test_what_is_put_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flush: int) -> None:
    monkeypatch.setattr(pyramid_file, "_FLUSH", flush)
    tiles = planes(40)
    shelf = PlaneFile(tmp_path, 2, 2, write=True)
    for tile, kept in tiles.items():
        assert shelf.get(tile) is None
        shelf.put(tile, kept)
        shelf.put(tile, Kept((), ()))  # the first ones stay
        assert equal(shelf.get(tile), kept)
    assert len(shelf) == 40
    shelf.finish()
    shelf.put(TileKey(0, 0, 0, 0), kept)
    assert len(shelf) == 40 and shelf.size == (tmp_path / PAYLOADS).stat().st_size
    again = PlaneFile(tmp_path, 2, 2, write=False)
    again.put(TileKey(0, 0, 0, 0), kept)
    assert len(again) == 40 and again.get(TileKey(0, 0, 0, 0)) is None
    for shelves in (shelf, again):
        assert all(equal(shelves.get(tile), kept) for tile, kept in tiles.items())


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    tiles = planes(6)
    fill(tmp_path, tiles)
    rng = np.random.default_rng(4)
    for name in (ENTRIES, PAYLOADS):
        path = tmp_path / name
        whole = path.read_bytes()
        for at in [0, len(whole) - 1, *rng.integers(0, len(whole), 60).tolist()]:
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << int(rng.integers(8))]) + whole[at + 1 :])
            try:
                shelf = PlaneFile(tmp_path, 2, 2, write=False)
                assert all(equal(shelf.get(tile), kept) for tile, kept in tiles.items())  # a byte between payloads
                found = False
            except Unreadable as error:
                found = name in error.message
            assert found or (name == PAYLOADS and at % 8), (name, at)
        path.write_bytes(whole)


@pytest.mark.parametrize("name", [ENTRIES, PAYLOADS])
def test_an_interrupted_build_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(pyramid_file, "_FLUSH", 200_000)
    tiles = planes(24)
    fill(tmp_path, tiles)
    path = tmp_path / name
    size = path.stat().st_size
    rng = np.random.default_rng(2)
    for cut in [0, size - 1, *rng.integers(0, size, 8).tolist()]:
        with open(path, "r+b") as file:
            file.truncate(cut)
        if cut % 288:
            with pytest.raises(Unreadable):
                PlaneFile(tmp_path, 2, 2, write=False)
        shelf = PlaneFile(tmp_path, 2, 2, write=True)
        left = len(shelf)
        assert left < 24 and all(
            shelf.get(tile) in (None, kept) or equal(shelf.get(tile), kept) for tile, kept in tiles.items()
        )
        shelf.close()
        fill(tmp_path, tiles)
        whole = PlaneFile(tmp_path, 2, 2, write=False)
        assert len(whole) == 24 and all(equal(whole.get(tile), kept) for tile, kept in tiles.items())
        size = path.stat().st_size


def test_payloads_that_never_reached_the_disk_are_made_again(tmp_path: Path) -> None:
    tiles = planes(8)
    fill(tmp_path, tiles)
    path = tmp_path / PAYLOADS
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)  # what a crash of the machine may leave
    path.write_bytes(data)
    shelf = PlaneFile(tmp_path, 2, 2, write=True)
    assert 0 < len(shelf) < 8
    shelf.close()
    fill(tmp_path, tiles)
    whole = PlaneFile(tmp_path, 2, 2, write=False)
    assert all(equal(whole.get(tile), kept) for tile, kept in tiles.items())


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    fill(tmp_path, planes(1))
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())


def test_the_values_of_levels_are_kept(tmp_path: Path) -> None:
    shelf = PlaneFile(tmp_path, 2, 2, write=True)
    shelf.finish()
    assert shelf.levels is None and PlaneFile(tmp_path, 2, 2, write=False).levels is None  # an older store
    shelf.put_levels((LevelValues(np.array([3]), np.array([9])),) * 25)
    again = PlaneFile(tmp_path, 2, 2, write=False).levels
    assert again is not None and [(*level.values, *level.weights) for level in again] == [(3, 9)] * 25
