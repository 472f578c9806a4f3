"""Linked figures, and below them the same with a filter in the place of a brush, with a slider for all of them."""

import bigviz as bv

trips = bv.open("trips.parquet")
least = bv.slider("least", 0, 30, 0.5, 0)
kept = "fare >= $least"
box = f"x >= -1 and x < 2 and y >= -0.5 and y < 2 and {kept}"

where = bv.figure(title="Where").points(trips, "x", "y", filter=kept)
other = bv.figure(title="Other").points(trips, "u", "v", filter=kept)
fares = bv.figure(title="Fares").histogram(trips, "fare", bins=20)
kinds = bv.figure(title="Kinds").bar(trips, "kind", filter=kept)
count = bv.number("count", "count()", trips)
bv.link(where, other, fares, kinds, count)

same = bv.figure(title="Other").points(trips, "u", "v", filter=box)
same_count = bv.number("same", "count()", trips, box)

plots = bv.grid(where, other, fares, kinds, same, columns=2)
bv.document(bv.column(bv.row(least, count, same_count), plots), title="Linked")
