"""A plot, published under a name; it prints the address. `bigviz serve` is the server."""

import bigviz as bv

orders = {"day": [1, 2, 3, 4, 5], "orders": [6, 7, 2, 4, 5]}

plot = bv.figure(title="Orders").line(orders, x="day", y="orders", line_width=2)
print(bv.connect().publish("orders", plot)["url"])
