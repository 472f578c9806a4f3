"""A market and a field of sensors as they would be: their rows of any span of time, made from a seed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["READING_SCHEMA", "TICK_SCHEMA", "Field", "Market"]

Array = npt.NDArray[Any]
Table = dict[str, Array]

TICK_SCHEMA: Final = {"time": "timestamp[us]", "price": "float64", "size": "int32"}
READING_SCHEMA: Final = {"time": "timestamp[us]", "x": "float64", "y": "float64", "value": "float64"}

_TICKS: Final = 1_000  # a second
_READINGS: Final = 1_500  # a second
_SENSORS: Final = (54, 28)  # side by side, and one above the other


class Market:
    """Trades whose price is a random walk that swings more and less: times (us since the epoch), price and size."""

    def __init__(self, seed: int = 0, price: float = 100.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._log_price, self._swing = float(np.log(price)), 1.0

    def between(self, start: float, end: float) -> Table:
        """The trades from `start` until before `end`, in seconds since the epoch: about a thousand a second, at random
        moments, in order."""
        rng = self._rng
        count = int(rng.poisson(_TICKS * max(0.0, end - start)))
        times = np.sort(rng.uniform(start, end, count))
        self._swing *= float(np.exp(rng.normal(0, 0.05)))
        self._swing = min(4.0, max(0.4, self._swing))
        walk = self._log_price + np.cumsum(rng.normal(0, 2e-5 * self._swing, count))
        self._log_price = float(walk[-1]) if count else self._log_price
        price = np.round(np.exp(walk), 3)
        return {"time": _stamps(times), "price": price, "size": rng.geometric(0.02, count).astype(np.int32)}


class Field:
    """Sensors that stand at fixed places in a field of 6 by 3, over which waves travel; each tells the height of the
    waves at its place, and errs a little."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = np.random.default_rng(seed)
        at = np.arange(_SENSORS[0] * _SENSORS[1])
        jitter = self._rng.uniform(0.15, 0.85, (2, len(at)))
        self.x = (at % _SENSORS[0] + jitter[0]) * 6 / _SENSORS[0]
        self.y = (at // _SENSORS[0] + jitter[1]) * 3 / _SENSORS[1]

    def between(self, start: float, end: float) -> Table:
        """What they tell from `start` until before `end`, in seconds since the epoch: about each one once a second."""
        rng = self._rng
        count = int(rng.poisson(_READINGS * max(0.0, end - start)))
        times = np.sort(rng.uniform(start, end, count))
        who = rng.integers(0, len(self.x), count)
        x, y, t = self.x[who], self.y[who], times % 3_600
        near = np.hypot(x - 1.5, y - 1.0)
        value = np.sin(4 * near - 1.5 * t) / (1 + near) + 0.6 * np.sin(1.3 * x + 2 * y + 0.7 * t)
        return {"time": _stamps(times), "x": x, "y": y, "value": value + rng.normal(0, 0.05, count)}


def _stamps(seconds: Array) -> Array:
    return np.round(seconds * 1e6).astype("datetime64[us]")
