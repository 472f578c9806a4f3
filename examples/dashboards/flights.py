"""Flights that filter each other, as crossfilter's: `bigviz serve examples/dashboards/flights.py`.

Drag over plots, click bars, move the sliders: every figure shows the flights that all of the others leave, all of them
counted, while you drag. The flights are made up; the public files that they stand for are those of the Bureau of
Transportation Statistics, "On-Time Performance", https://www.transtats.bts.gov/Fields.asp?gnoyr_VQ=FGJ.
"""

import numpy as np

import bigviz as bv

ROWS = 2_000_000
rng = np.random.default_rng(3)
carriers = np.array(["AA", "AS", "B6", "DL", "HA", "NK", "UA", "WN"])
carrier = rng.choice(len(carriers), ROWS, p=[0.17, 0.06, 0.06, 0.2, 0.02, 0.07, 0.16, 0.26])
hour = np.clip(rng.normal(13, 4.5, ROWS) + rng.choice([-3, 3], ROWS), 0, 23.99)
miles = rng.gamma(2.2, 330, ROWS) + 80 + 900 * (carrier == 4)
late = rng.exponential(9 + hour, ROWS) * (rng.random(ROWS) < 0.38 + 0.017 * hour) * (0.8 + 0.06 * carrier)
delay = late - rng.gamma(3, 3, ROWS)
day = np.datetime64("2024-01-01", "s") + (rng.integers(0, 366, ROWS) * 86_400 + hour * 3_600).astype(np.int64)

flights = bv.open(
    {
        "time": day,
        "hour": hour.astype(np.float32),
        "miles": miles.astype(np.float32),
        "departure_delay": delay.astype(np.float32),
        "arrival_delay": (delay + rng.normal(-4, 12, ROWS)).astype(np.float32),
        "carrier": carriers[carrier],
    },
    name="flights",
)

least = bv.slider("least", 0, 2_000, 25, 0, "At least, miles")
clock = bv.range_slider("clock", 0, 24, 0.5, label="Departure, o'clock")
airlines = bv.multiselect("airlines", flights, column="carrier", label="Carriers")
kept = "miles >= $least and carrier in $airlines and hour between $clock"

delays = bv.figure(title="Delays, minutes", x_label="departure", y_label="arrival")
delays.points(flights, "departure_delay", "arrival_delay", cmap="viridis", filter=kept)
hours = bv.figure(title="Hour of departure").histogram(flights, "hour", bins=24, filter=kept)
miles = bv.figure(title="Distance, miles").histogram(flights, "miles", bins=60, filter=kept)
days = bv.figure(title="Through the year").histogram(flights, "time", bins=53, filter=kept)
who = bv.figure(title="Carrier").bar(flights, "carrier", filter=kept)
mean = bv.figure(title="Mean delay by carrier").bar(flights, "carrier", agg="mean(arrival_delay)", filter=kept)

count = bv.number("count", "count()", flights, kept, "Flights")
late = bv.number("late", "mean(arrival_delay)", flights, kept, "Mean delay", unit="minutes")
words = bv.markdown("Drag over a plot or click bars: the others, and these numbers, show **its flights** alone.")
bv.link(delays, hours, miles, days, who, mean, count, late)
side = bv.column(words, count, late, least, clock, airlines)
bv.document(bv.row(side, bv.grid(delays, hours, miles, days, who, mean, columns=2)), title="Flights", id="flights")
