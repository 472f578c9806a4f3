"""A producer: prices come ten times a second, and every open page follows. Ctrl-C ends it."""

import time

import numpy as np

import bigviz as bv

server = bv.connect()
ticks = server.stream("ticks", {"time": "timestamp[ms]", "price": "float64"}, order_by="time")
market = bv.figure(title="Market", follow="60s").line("ticks", x="time", y="price")
print(server.publish("market", market)["url"])

price = 100.0
while True:
    times = time.time_ns() // 1_000_000 - 99 + np.arange(100)
    prices = price + np.random.normal(size=100).cumsum() / 10
    ticks.append({"time": times.astype("datetime64[ms]"), "price": prices})
    price = prices[-1]
    time.sleep(0.1)
