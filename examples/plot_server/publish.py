"""A plot that everyone may see who can reach the server; it prints the link to hand out."""

from bigviz.plotting import cursession, figure, output_server

output_server("myplot")

p = figure(title="My plot", x_axis_label="day", y_axis_label="orders")
p.line([1, 2, 3, 4, 5], [6, 7, 2, 4, 5], line_width=2, legend_label="orders")
p.circle([1, 2, 3, 4, 5], [6, 7, 2, 4, 5], size=10, color="firebrick", alpha=0.5)

print(cursession().publish())
