"""A plot as tiles of a Bokeh figure. This writes bokeh_tiles.html; start the server with the origin of that page, and
serve it:

bigviz serve examples/map.py --allow-origin http://127.0.0.1:8000
python -m http.server --bind 127.0.0.1 8000
"""

from bokeh.models import WMTSTileSource
from bokeh.plotting import figure, output_file, save

LAYER = "http://127.0.0.1:5006/map/layers/0"

# Bokeh's {Y} counts from the north, as bigviz does. The figure's ranges are metres of web Mercator.
source = WMTSTileSource(
    url=f"{LAYER}/tiles/{{Z}}/{{X}}/{{Y}}.png?cmap=bmy", tile_size=256, max_zoom=24, attribution="bigviz"
)
plot = figure(
    x_axis_type="mercator",
    y_axis_type="mercator",
    x_range=(1_440_000, 1_540_000),
    y_range=(6_860_000, 6_930_000),
    match_aspect=True,
    title="Berlin, as tiles of a bigviz server",
)
plot.add_tile(source, smoothing=False)  # add_tile of a map goes before it

if __name__ == "__main__":
    output_file("bokeh_tiles.html", title="bigviz in Bokeh")
    save(plot)
