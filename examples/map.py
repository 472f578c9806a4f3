"""A map: degrees on mercator axes."""

import numpy as np

import bigviz as bv

rng = np.random.default_rng(1)
berlin = {"lon": rng.normal(13.4, 0.1, 200_000), "lat": rng.normal(52.5, 0.05, 200_000)}

plot = bv.figure(title="Berlin", x_axis_type="mercator", y_axis_type="mercator")
plot.points(berlin, x="lon", y="lat")
bv.serve(plot)
