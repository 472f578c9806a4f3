"""Taxi trips on a map-like plane, with controls: `bigviz serve examples/dashboards/taxi.py`.

The trips are made up. The public files that it is meant for are those of New York's taxis, whose years of drop-offs
with positions are in https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page.
"""

import numpy as np

import bigviz as bv

ROWS = 400_000
rng = np.random.default_rng(1)
streets = rng.integers(0, 60, ROWS)
along = rng.normal(size=ROWS) * np.array([0.9, 0.35])[(across := rng.integers(0, 2, ROWS))]
lon = np.where(across, streets / 60 - 0.5, along * 0.4) + rng.normal(scale=0.002, size=ROWS)
lat = np.where(across, along, (streets / 60 - 0.5) * 1.8) + rng.normal(scale=0.002, size=ROWS)
miles = rng.gamma(1.6, 1.9, ROWS).round(2)
trips = bv.open(
    {
        "lon": (-73.97 + 0.06 * (lon - lat * 0.3)).astype(np.float32),
        "lat": (40.75 + 0.05 * (lat + lon * 0.3)).astype(np.float32),
        "fare": (3 + 2.5 * miles + rng.gamma(1.5, 1.2, ROWS)).round(2),
        "miles": miles,
        "riders": rng.choice([1, 2, 3, 4, 5], ROWS, p=[0.7, 0.15, 0.06, 0.05, 0.04]),
        "paid_by": rng.choice(["card", "cash", "app"], ROWS, p=[0.6, 0.25, 0.15]),
        "time": np.datetime64("2025-01-01", "ms") + rng.integers(0, 365 * 86_400_000, ROWS),
    },
    name="trips",
)

metric = bv.select("metric", {"Trips": "count", "Mean fare": "mean(fare)", "Riders": "sum(riders)"}, "count", "Show")
colours = bv.radio("colours", {"Fire": "fire", "Viridis": "viridis", "Blues": "blues"}, label="Colours")
paid_by = bv.multiselect("paid_by", trips, column="paid_by", label="Paid by")
fare = bv.range_slider("fare", 0, 60, 1, label="Fare, USD")
miles = bv.slider("least_miles", 0, 20, 0.5, label="At least so many miles")
days = bv.date_range("days", "2025-01-01", "2025-12-31", label="Days")

kept = "fare between $fare and paid_by in $paid_by and miles >= $least_miles and time between $days"
count = bv.number("trips", "count()", trips, kept, "Trips")
mean = bv.number("mean_fare", "mean(fare)", trips, kept, "Mean fare", unit="USD")

plot = bv.figure(title="Drop-offs", x_axis_type="mercator", y_axis_type="mercator")
plot.points(trips, "lon", "lat", agg=metric, cmap=colours, filter=kept)
hours = bv.figure(title="Fares over miles").points(trips, "miles", "fare", agg=metric, cmap=colours, filter=kept)
words = bv.markdown("# Taxi trips\nA made-up year of **400,000** trips. Every figure is exact.")

panel = bv.column(words, count, mean, metric, colours, paid_by, fare, miles, days)
bv.document(bv.row(panel, bv.tabs({"Map": plot, "Fares": hours})), title="Taxi trips", id="taxi")
