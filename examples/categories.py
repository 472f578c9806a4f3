"""Cells coloured by category."""

import bigviz as bv

points = bv.open("demo-data/points.parquet")

plot = bv.figure(title="By kind").points(points, x="x", y="y", agg=bv.by("kind"))
bv.serve(plot)
