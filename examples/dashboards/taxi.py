"""Taxi trips in a city, with controls and no callbacks: `bigviz serve examples/dashboards/taxi.py`.

The trips are made up: an island of streets and avenues with a park, its suburbs and two airports. The public files that
they stand for are those of New York's taxis, https://www.nyc.gov/site/tlc/about/tlc-trip-record-data.page, whose years
until June 2016 have the position of each drop-off.
"""

import numpy as np

import bigviz as bv

ROWS = 1_000_000
rng = np.random.default_rng(1)
place = rng.choice(4, ROWS, p=[0.82, 0.13, 0.03, 0.02])  # island, suburbs, airports
along = np.where(place == 0, 19 * rng.beta(2.8, 3.4, ROWS) - 8, rng.normal(-3, 3.5, ROWS))  # km from its middle
width = 1.7 * np.clip(np.minimum((along + 8.3) / 2.5, (11.5 - along) / 4), 0.1, 1)
across = np.where(place == 0, width * rng.uniform(-1, 1, ROWS), 3 + rng.gamma(2, 1.5, ROWS))
park = (place == 0) & (along > 1.6) & (along < 5.6) & (np.abs(across) < 0.4)
across[park] = np.sign(across[park]) * (0.42 + 1.2 * rng.random(park.sum()))
on_street = rng.random(ROWS) < 0.5
along = np.where(on_street, np.round(along / 0.16) * 0.16, along) + rng.normal(0, 0.01, ROWS)
across = np.where(on_street, across, np.round(across / 0.28) * 0.28) + rng.normal(0, 0.01, ROWS)
turn = np.radians(np.where(place == 0, 29, 8))
east, north = along * np.sin(turn) + across * np.cos(turn), along * np.cos(turn) - across * np.sin(turn)
for number, centre in ((2, (9.0, 2.2)), (3, (16.5, -12.0))):
    there = place == number
    east[there], north[there] = rng.normal(centre[0], 0.25, there.sum()), rng.normal(centre[1], 0.2, there.sum())
miles = (0.3 + rng.gamma(1.8, 0.9, ROWS) + 0.35 * np.hypot(east, north) * (place > 0)).round(2)
trips = bv.open(
    {
        "lon": (-73.98 + east / 84.3).astype(np.float32),
        "lat": (40.757 + north / 111.2).astype(np.float32),
        "fare": (3 + 2.5 * miles + rng.gamma(1.5, 1.2, ROWS)).round(2),
        "miles": miles,
        "riders": rng.choice([1, 2, 3, 4, 5], ROWS, p=[0.7, 0.15, 0.06, 0.05, 0.04]),
        "paid_by": rng.choice(["card", "cash", "app"], ROWS, p=[0.6, 0.25, 0.15]),
        "time": np.datetime64("2015-01-01", "ms") + rng.integers(0, 365 * 86_400_000, ROWS),
    },
    name="trips",
)

metric = bv.select("metric", {"Trips": "count", "Mean fare": "mean(fare)", "Riders": "sum(riders)"}, "count", "Show")
colours = bv.radio("colours", {"Fire": "fire", "Viridis": "viridis", "Blues": "blues"}, label="Colours")
paid_by = bv.multiselect("paid_by", trips, column="paid_by", label="Paid by")
fare = bv.range_slider("fare", 0, 60, 1, label="Fare, USD")
days = bv.date_range("days", "2015-01-01", "2015-12-31", label="Days")

kept = "fare between $fare and paid_by in $paid_by and time between $days"
count = bv.number("trips", "count()", trips, kept, "Trips")
mean = bv.number("mean_fare", "mean(fare)", trips, kept, "Mean fare", unit="USD")
plot = bv.figure(title="Drop-offs", x_axis_type="mercator", y_axis_type="mercator")
plot.points(trips, "lon", "lat", agg=metric, cmap=colours, filter=kept)
fares = bv.figure(title="Fares over miles").points(trips, "miles", "fare", agg=metric, cmap=colours, filter=kept)
panel = bv.column(count, mean, metric, colours, paid_by, fare, days)
bv.document(bv.row(panel, bv.tabs({"Map": plot, "Fares": fares})), title="Taxi trips", id="taxi")
