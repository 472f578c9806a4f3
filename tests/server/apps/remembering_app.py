"""An app that keeps something for each session, asks for rows, and calls itself from time to time."""

import gc
import os
import random
import threading
import tracemalloc

import numpy as np
import pyarrow as pa

import bigviz as bv

TABLE = pa.table({"x": [float(each) for each in range(200)], "y": [1.0, 2.0] * 100})
figure = bv.figure(title="Remembers").points(TABLE, "x", "y")
rows = figure.layers[0].dataset
number = bv.slider("number", 0, 1_000)
do = bv.select("do", ["state", "who", "rows", "tick", "stop", "memory", "random", "exit"])
ticks = {}
gone_before, lock = [0], threading.Lock()


@number.on_change
def numbered(session, value):
    kept = rows.where(f"x < {value}").count()
    session.set(number, label=f"{value} of a thousand")
    session.set(figure, title=f"{kept} rows below {value}")
    session.notify(f"{value}: {kept} of {session.values['number']}")


def tick(session):
    count, timer = ticks[session]
    ticks[session] = count + 1, timer
    session.notify(f"tick {count}")


@do.on_change
def done(session, value):
    if value == "state":
        found = session.selection(figure)
        found = None if found is None else (found.count, found.expression, found.rows().tolist())
        session.notify(repr((session.values["number"], session.range(figure), found)))
    elif value == "who":
        session.notify(str(session.user))
    elif value == "rows":
        session.notify(str(rows.where("y = 2").to_arrow(limit=2, columns=["x"])["x"].to_pylist()))
    elif value == "tick":
        ticks[session] = 0, session.every(0.05, tick)
    elif value == "stop":
        ticks.pop(session)[1].stop()
        session.notify("stopped")
    elif value == "memory":
        gc.collect()
        session.notify(str(tracemalloc.get_traced_memory()[0]))
    elif value == "random":
        session.notify(repr((np.random.random(), random.random())))
    else:
        os._exit(1)


@figure.on_range
def moved(session, window):
    session.notify(f"moved to {window}")


@figure.on_select
def selected(session, selection):
    session.notify(f"selected {selection.count}")


@bv.on_close
def gone(session):
    with lock:
        gone_before[0] += 1
        print(f"{gone_before[0]} are gone")


tracemalloc.start()
bv.serve(bv.row(figure, bv.column(number, do)))
