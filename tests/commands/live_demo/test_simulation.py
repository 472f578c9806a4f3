"""Trades and readings of the live demo."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.commands.live_demo.simulation import Field, Market


@pytest.mark.parametrize("make", [Market, Field])
def test_rows_are_of_their_span_in_order_and_the_same_each_time(make: type[Market | Field]) -> None:
    first, second = make(seed=7), make(seed=7)
    for start, end in ((1_000.0, 1_002.0), (1_002.0, 1_002.0), (1_002.0, 1_003.0)):
        rows, again = first.between(start, end), second.between(start, end)
        times = rows["time"].astype(np.int64) / 1e6
        assert len({len(column) for column in rows.values()}) == 1
        assert np.all(np.diff(times) >= 0) and np.all((start <= times) & (times <= end))
        assert 800 * (end - start) <= len(times) <= 2_000 * (end - start)
        assert all(np.array_equal(rows[name], again[name]) for name in rows)


def test_the_price_goes_on_where_it_was_and_sensors_stand_still() -> None:
    market, field = Market(), Field()
    trades = [market.between(k, k + 1)["price"] for k in range(20)]
    prices = np.concatenate(trades)
    assert np.abs(np.diff(np.log(prices))).max() < 1e-3 and prices.min() > 50
    places = [
        np.unique(np.stack([rows["x"], rows["y"]]), axis=1) for rows in (field.between(0, 9), field.between(9, 18))
    ]
    assert places[0].shape[1] == pytest.approx(len(field.x), abs=3) and places[0].max() < 6
    assert set(map(tuple, places[1].T)) <= set(zip(field.x, field.y, strict=True))
