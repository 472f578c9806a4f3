"""A live market: trades come ten times a second, and controls say which are shown. First `bigviz serve`, then
`python examples/dashboards/market.py`.

The trades are made up: prices that walk at random, their swings now calm, now wild. The public files that they stand
for are the daily trades of Binance, https://data.binance.vision/, with time, price, quantity and side of each.
"""

import time

import numpy as np

import bigviz as bv

SYMBOLS = np.array(["ABC", "KLM", "PQR", "XYZ"])
SCHEMA = {"time": "timestamp[us]", "symbol": "string", "side": "string", "price": "float64", "size": "int32"}
RATE = 1_000  # trades a second
HISTORY = 180  # seconds that are there from the start

symbol = bv.select("symbol", list(SYMBOLS), "ABC", "Symbol")
side = bv.multiselect("side", ["buy", "sell"], label="Side")
least = bv.slider("least", 0, 500, 10, label="Size, at least")
those = "side in $side and size >= $least"
shown = f"symbol = $symbol and {those}"

count = bv.number("count", "count()", "trades", shown, "Trades")
mean = bv.number("mean", "mean(price)", "trades", shown, "Mean price", unit="USD")
largest = bv.number("largest", "max(size)", "trades", shown, "Largest")
price = bv.figure(title="Price", follow="60s", y_label="price", y_unit="USD")
price.line("trades", "time", "price", filter=shown)
sizes = bv.figure(title="Sizes", follow="60s", y_axis_type="log", y_label="size")
sizes.points("trades", "time", "size", agg="by(symbol)", filter=those)
volume = bv.figure(title="Volume").bar("trades", "symbol", agg="sum(size)", filter=those)
panel = bv.column(symbol, side, least, count, mean, largest)
market = bv.document(bv.row(panel, bv.column(price, bv.row(sizes, volume))), title="Live market", id="market")


def trades(rng: np.random.Generator, log_prices: np.ndarray, start: float, end: float) -> dict[str, np.ndarray]:
    """The trades from `start` to `end`, in seconds since 1970; moves the logarithms of the prices on."""
    rows = rng.poisson(RATE * (end - start))
    of = rng.choice(len(SYMBOLS), rows, p=[0.4, 0.3, 0.2, 0.1])
    price = np.empty(rows)
    for number in range(len(SYMBOLS)):
        swing = 4e-5 * (1.5 + np.sin(start / 7 + number))
        walk = log_prices[number] + rng.normal(0, swing, (of == number).sum()).cumsum()
        price[of == number], log_prices[number] = np.exp(walk), walk[-1] if len(walk) else log_prices[number]
    times = np.sort(rng.uniform(start, end, rows) * 1e6).astype("datetime64[us]")
    sides, sizes = rng.choice(["buy", "sell"], rows), np.ceil(rng.lognormal(3, 1.1, rows)).astype(np.int32)
    return {"time": times, "symbol": SYMBOLS[of], "side": sides, "price": price.round(3), "size": sizes}


if __name__ == "__main__":
    server, rng, prices, now = bv.connect(), np.random.default_rng(5), np.log([100.0, 64.0, 250.0, 18.0]), time.time()
    stream = server.stream("trades", SCHEMA, order_by="time", rollover_rows=3_000_000)
    stream.append(trades(rng, prices, now - HISTORY, now))
    print(server.publish("market", market)["url"], flush=True)
    while True:
        time.sleep(0.1)
        before, now = now, time.time()
        stream.append(trades(rng, prices, before, now))
