"""A sky survey, linked with its colour-magnitude diagram: `bigviz serve examples/dashboards/sky.py`.

Brush the giants, the white dwarfs or a cluster, and see where they are; a table lists the stars in it. The stars are
made up: a disc with its dust, a halo, three clusters. The public files that they stand for are those of Gaia's data
release 3, table gaia_source, https://gea.esac.esa.int/archive/ (l, b, bp_rp, phot_g_mean_mag, parallax).
"""

import numpy as np

import bigviz as bv

ROWS = 1_000_000
CLUSTERS = [("Northern", 60, 42, 1.6, 900), ("Southern", -95, -38, 2.2, 250), ("Far", 125, 24, 1.1, 4_000)]
rng = np.random.default_rng(4)
part = rng.choice(5, ROWS, p=[0.8, 0.14, 0.025, 0.02, 0.015])  # disc, halo, clusters
inner = rng.random(ROWS) < 0.4
lon = np.where(inner, rng.normal(0, 24, ROWS), rng.uniform(-180, 180, ROWS))
lat = np.where(inner, rng.normal(0, 8, ROWS), rng.laplace(0, 7, ROWS))
parsecs = 10 ** rng.normal(3.1, 0.25, ROWS)
halo = part == 1
lon[halo] = rng.uniform(-180, 180, halo.sum())
lat[halo] = np.degrees(np.arcsin(rng.uniform(-1, 1, halo.sum())))
for number, (_, centre_lon, centre_lat, width, away) in enumerate(CLUSTERS, 2):
    inside = part == number
    radius, turn = width * np.abs(rng.standard_t(2, inside.sum())), rng.uniform(0, 2 * np.pi, inside.sum())
    lon[inside], lat[inside] = centre_lon + radius * np.cos(turn), centre_lat + radius * np.sin(turn)
    parsecs[inside] = away * rng.normal(1, 0.01, inside.sum())
lane = 1.5 * np.sin(np.radians(2.5 * lon)) + 0.8 * np.sin(np.radians(11 * lon + 40))
dust = (part < 2) * 7 * np.exp(-(((lat - lane) / 2.2) ** 2)) * np.minimum(parsecs / 1_500, 1)

kind = rng.choice(3, ROWS, p=[0.82, 0.15, 0.03])  # main sequence, giants, white dwarfs
climb = np.where(rng.random(ROWS) < 0.35, 0.55 + rng.normal(0, 0.12, ROWS), rng.exponential(0.55, ROWS))
colour = np.choose(kind, [rng.gamma(6, 0.22, ROWS) - 0.15, 0.85 + 0.45 * climb, rng.normal(0.2, 0.3, ROWS)])
binary = 0.7 * (rng.random(ROWS) < 0.25)
magnitude = np.choose(kind, [3.1 + 3.3 * (colour - 0.6) - binary, 3.4 - 6 * (1 - np.exp(-climb)), 11.5 + 2.6 * colour])
magnitude += rng.normal(0, 0.12 + 0.1 * (kind == 0), ROWS)
colour += rng.normal(0, 0.04, ROWS) + 0.1 * dust
seen = (np.abs(lat) < 90) & (np.abs(lon) <= 180) & (magnitude + 5 * np.log10(parsecs / 10) + dust < 19.5)
table = {"l": lon, "b": lat, "colour": colour, "brightness": -magnitude, "parsecs": parsecs, "dust": dust}
stars = bv.open({name: values[seen].astype(np.float32) for name, values in table.items()}, name="stars")

agg = bv.radio("show", {"Stars": "count", "Colour": "mean(colour)", "Dust": "mean(dust)"}, label="Show")
sky = bv.figure(title="Sky", x_label="galactic longitude, degrees", y_label="latitude")
sky.points(stars, "l", "b", agg=agg, cmap="inferno")
diagram = bv.figure(title="Colour and magnitude", x_label="colour, BP - RP", y_label="-magnitude")
diagram.points(stars, "colour", "brightness", cmap="viridis")
distances = bv.figure(title="Distance, parsecs").histogram(stars, "parsecs", bins=80)
count = bv.number("count", "count()", stars, label="Stars")
bv.link(sky, diagram, distances, count)

words = bv.markdown("Drag a brush over a figure: the others show **its stars** alone, and the table lists them.")
selected = bv.table("selected", sky, ["l", "b", "colour", "parsecs"], "Stars in the brush, or the lasso (O)")
side = bv.column(words, count, agg, selected)
bv.document(bv.row(side, bv.column(sky, bv.row(diagram, distances))), title="Sky survey", id="sky")
