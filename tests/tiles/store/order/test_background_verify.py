"""Blocks are verified ahead, make way for requests, and damage is left to whoever needs the block."""

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import Unreadable
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.open import open as open_source
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.order.background_verify import verify_ahead
from bigviz.tiles.store.order.build import build_stored_order
from bigviz.tiles.store.order.stored_order import open_stored_order

from ....patience import PATIENCE

ROWS = 60_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    table = pa.table({name: rng.normal(size=ROWS).astype(np.float32) for name in ("x", "y", "value")})
    pq.write_table(table, tmp_path / "t.parquet")
    store = tmp_path / "store"
    store.mkdir()
    spec = OrderSpec("x", "y", "linear", "linear", "default")
    build_stored_order(store, open_source(tmp_path / "t.parquet"), spec, ["value"], Crew())
    return store


def test_keys_and_columns_are_verified(folder: Path) -> None:
    order = open_stored_order(folder)
    thread = verify_ahead(order, Turns())
    assert thread is not None
    thread.join(PATIENCE)
    untouched = open_stored_order(folder)
    column, fresh = order.column("value"), untouched.column("value")
    assert column and fresh and column.values and fresh.values
    for done, before in ((order.guard.keys, untouched.guard.keys), (column.values, fresh.values)):
        assert not np.array_equal(done.state, before.state) and len(set(done.state.tolist())) == 1


def test_requests_go_first(folder: Path) -> None:
    turns, order = Turns(), open_stored_order(folder)
    with turns.request():
        thread = verify_ahead(order, turns)
        assert thread is not None and thread.is_alive()
        assert np.array_equal(order.guard.keys.state, open_stored_order(folder).guard.keys.state)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_damage_is_told_to_who_needs_the_block(folder: Path) -> None:
    path = folder / "keys.arrow"
    bytes_ = bytearray(path.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    path.write_bytes(bytes_)
    order = open_stored_order(folder)
    thread = verify_ahead(order, Turns())
    assert isinstance(thread, threading.Thread)
    thread.join(PATIENCE)
    with pytest.raises(Unreadable, match=r"keys\.arrow is damaged"):
        order.guard.keys.take(slice(None))
