"""Three figures: two linked clouds side by side, and below them points and a line over the same times."""

import bigviz as bv

points = bv.open("points.parquet")
walk = bv.open("walk.parquet")

every = bv.figure(title="Every point").points(points, "x", "y")
kinds = bv.figure(title="By kind", x_range=every.x_range, y_range=every.y_range).points(points, "x", "y", "by(kind)")
both = bv.figure(title="Walk").points(walk, "time", "value", cmap="blues").line(walk, "time", "value", color="#c2410c")

bv.document(bv.column(bv.row(every, kinds), both), title="Three figures")
