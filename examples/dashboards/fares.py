"""Fares with callbacks in Python: `bigviz serve examples/dashboards/fares.py`.

What a filter cannot say is computed here: presets, and a title that tells what is shown. The trips are made up.
"""

import numpy as np

import bigviz as bv

ROWS = 300_000
rng = np.random.default_rng(2)
miles = rng.gamma(1.6, 1.9, ROWS).round(2)
trips = bv.open(
    {
        "miles": miles,
        "fare": (3 + 2.5 * miles + rng.gamma(1.5, 1.2, ROWS)).round(2),
        "tip": rng.gamma(1.2, 1.5, ROWS).round(2),
        "paid_by": rng.choice(["card", "cash", "app"], ROWS, p=[0.6, 0.25, 0.15]),
    },
    name="trips",
)
PRESETS = {"All trips": (0, 60), "Short and cheap": (0, 12), "To the airport": (35, 60)}

preset = bv.select("preset", list(PRESETS), "All trips", "Preset")
fare = bv.range_slider("fare", 0, 60, 0.5, (0, 60), "Fare, USD")
shade = bv.radio("shade", ["count", "mean(tip)", "by(paid_by)"], "count", "Show")
reset = bv.button("reset", "Start again")
plot = bv.figure(title="Fares", x_label="miles", y_label="fare")
plot.points(trips, "miles", "fare", filter="fare between $fare")


@bv.on_open
@fare.on_change
def tell(session, _=None):
    low, high = session.values["fare"]
    kept = trips.where(f"fare between {low} and {high}")
    share = kept.sum("fare") / trips.where("true").sum("fare")
    session.set(plot, title=f"{kept.count():,} trips, {share:.0%} of all fares")


@preset.on_change
def choose(session, name):
    session.set(fare, value=PRESETS[name])
    tell(session)


@shade.on_change
def colour(session, agg):
    session.set(plot.layers[0], agg=agg, how="linear" if agg == "mean(tip)" else "eq_hist")


@reset.on_click
def start_again(session, presses):
    session.set(preset, value="All trips")
    choose(session, "All trips")
    session.notify("As it was at first.")


bv.document(bv.row(bv.column(preset, fare, shade, reset), plot), title="Fares", id="fares")
