"""An app whose callbacks go wrong in every way."""

import ctypes
import os
import time

import pyarrow as pa

import bigviz as bv

TABLE = pa.table({"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 5.0, 4.0], "kind": ["a", "b", "a", "b"]})
figure = bv.figure(title="Failing").points(TABLE, "x", "y")
trips = figure.layers[0].dataset
WAYS = ("raise", "loop", "exit", "fault", "memory", "print", "wrong", "recursion", "sleep", "ask", "large", "swallow")
how = bv.select("how", WAYS)
number = bv.slider("number", 0, 100)
button = bv.button("go", "Go")


@bv.on_open
def opened(session):
    session.notify(f"opened with {session.values['number']}")


def deeper(n):
    return deeper(n + 1)


def swallow():
    while True:
        try:
            while True:
                pass
        except Exception:  # a time limit is none
            pass


@how.on_change
def go_wrong(session, value):
    if value == "raise":
        raise ValueError("a secret")
    if value == "loop":
        while True:
            pass
    if value == "exit":
        os._exit(3)
    if value == "fault":
        ctypes.string_at(0)
    if value == "memory":
        bytearray(1 << 40)
    if value == "print":
        print(("x" * 1_000 + "\n") * 5_000 + "y" * 100_000)
    if value == "wrong":
        session.set(figure.layers[0], aggg="count")
    if value == "recursion":
        deeper(0)
    if value == "sleep":
        time.sleep(1_000)
    if value == "ask":
        rows = trips.where("kind = 'a' and x > 1")
        table = trips.where("x > 1").to_arrow(limit=2, columns=["y"])
        session.notify(f"{rows.count()} {rows.mean('y')} {rows.sum('y')} {rows.max('kind')} {table['y'].to_pylist()}")
        trips.where("nope > 1")
    if value == "large":
        session.set(figure, title="t" * 9_000)
        session.set(figure.layers[0], legend_label="t" * 99_999)
    if value == "swallow":
        swallow()
    session.notify(f"{value} is over")


@number.on_change
def numbered(session, value):
    session.notify(f"{value} {session.values['how']}")
    session.set(number, label=f"Number {value}")


@button.on_click
def clicked(session, presses):
    session.set(number, value=7)
    session.set(figure, title="Clicked", x_range=(1, 3))


@figure.on_range
def moved(session, window):
    session.notify(f"{window} {session.range(figure) == window}")


@figure.on_select
def selected(session, selection):
    if selection is not None:
        table = selection.table(["kind"], limit=1).to_pydict()
        selection = (selection.count, selection.expression, selection.rows().tolist(), table)
    session.notify(str(selection))


bv.serve(bv.row(figure, bv.column(how, number, button)))
