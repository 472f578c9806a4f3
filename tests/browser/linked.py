"""Linked figures, and below them the same with a filter in the place of a brush."""

import bigviz as bv

trips = bv.open("trips.parquet")
BOX = "x >= -1 and x < 2 and y >= -0.5 and y < 2"

where = bv.figure(title="Where").points(trips, "x", "y")
other = bv.figure(title="Other").points(trips, "u", "v")
fares = bv.figure(title="Fares").histogram(trips, "fare", bins=20)
kinds = bv.figure(title="Kinds").bar(trips, "kind")
bv.link(where, other, fares, kinds)

same = bv.figure(title="Other").points(trips, "u", "v", filter=BOX)

bv.document(bv.grid(where, other, fares, kinds, same, columns=2), title="Linked")
