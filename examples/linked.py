"""Two plots of one table that pan and zoom together."""

import bigviz as bv

points = bv.open("demo-data/points.parquet")

counts = bv.figure(title="Rows").points(points, x="x", y="y", how="log")
means = bv.figure(title="Mean", x_range=counts.x_range, y_range=counts.y_range)
means.points(points, x="x", y="y", agg=bv.mean("value"), cmap="bmy")
bv.serve(bv.document(bv.row(counts, means), title="Two views of one table"))
