"""A slider that filters, a live figure and a legend that hides: `bigviz serve examples/dashboard.py`."""

import bigviz as bv

points = bv.open("demo-data/points.parquet")

value = bv.range_slider("value", 0, 3.2, 0.1, label="Value")
rows = bv.number("rows", "count()", points, "value between $value", "Rows")

plot = bv.figure(title="By kind").points(points, x="x", y="y", agg=bv.by("kind"), filter="value between $value")
bv.serve(bv.document(bv.row(bv.column(value, rows), plot), title="A dashboard"))
