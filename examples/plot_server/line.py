"""A line, published under a name: the first example of the Bokeh server of 2014."""

from bigviz.plotting import figure, output_server, show

output_server("line")

p = figure(plot_width=400, plot_height=400)
p.line([1, 2, 3, 4, 5], [6, 7, 2, 4, 5], line_width=2)

show(p)
