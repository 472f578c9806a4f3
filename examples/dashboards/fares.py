"""Fares with callbacks in Python: `bigviz serve examples/dashboards/fares.py`.

What a filter cannot say is computed here: presets, a title that tells what is shown, a share of all fares, and the
numbers of whatever window the viewer looks at. The trips are made up.
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
plot = bv.figure(title="All trips", x_label="miles", y_label="fare")
plot.points(trips, "miles", "fare", filter="fare between $fare")
dots = plot.layers[0]


def tell(session):
    """Say in the title how many trips are shown, and their share of all fares."""
    low, high = session.values["fare"]
    kept = trips.where(f"fare between {low} and {high}")
    share = kept.sum("fare") / trips.where("true").sum("fare")
    session.set(plot, title=f"{kept.count():,} trips, {share:.0%} of all fares")


@preset.on_change
def choose(session, name):
    session.set(fare, value=PRESETS[name])
    tell(session)


@fare.on_change
def narrow(session, ends):
    tell(session)


@shade.on_change
def colour(session, agg):
    session.set(dots, agg=agg, how="linear" if agg == "mean(tip)" else "eq_hist")


@reset.on_click
def start_again(session, presses):
    session.set(preset, value="All trips")
    session.set(shade, value="count")
    session.set(dots, agg="count", how="eq_hist")
    choose(session, "All trips")
    session.notify("As it was at first.")


bv.on_open(tell)
bv.serve(bv.row(bv.column(preset, fare, shade, reset), plot))
