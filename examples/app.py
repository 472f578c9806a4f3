"""A document of three figures, for `bigviz serve app.py --dev`."""

import bigviz as bv

points = bv.open("demo-data/points.parquet")
walk = bv.open("demo-data/walk.parquet")

where = bv.figure(title="Where").points(points, x="x", y="y")
kinds = bv.figure(title="Which", x_range=where.x_range, y_range=where.y_range)
kinds.points(points, x="x", y="y", agg=bv.by("kind"))
when = bv.figure(title="When", y_label="height", y_unit="m").line(walk, x="time", y="value", color="#c2410c")

bv.document(bv.column(bv.row(where, kinds), when), title="Dashboard")
