"""A line that moves: every open page follows. Ctrl-C ends it."""

import time
from random import shuffle

from bigviz.plotting import cursession, figure, output_server, show

output_server("animated")

p = figure(plot_width=400, plot_height=400)
p.line([1, 2, 3, 4, 5], [6, 7, 2, 4, 5], name="ex_line")
show(p)

ds = p.select(dict(name="ex_line"))[0].data_source

while True:
    shuffle(ds.data["y"])
    cursession().store_objects(ds)
    time.sleep(0.5)
