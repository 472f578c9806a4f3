"""A time series as a line."""

import bigviz as bv

walk = bv.open("demo-data/walk.parquet")

plot = bv.figure(title="A walk").line(walk, x="time", y="value")
bv.serve(plot)
