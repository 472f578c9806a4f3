# /// script
# dependencies = [
#   "holoviews==1.23.2", "panel==1.9.4", "bokeh==3.9.2", "datashader==0.19.1", "pandas==3.1.1", "pyarrow==26.0.1",
#   "numba==0.68.1", "numpy==2.4.6",
# ]
# ///
"""HoloViews on a Panel (Bokeh) server: one page with a rasterized scatter that is computed again for each range.

The page is opened and driven from outside, by the same Chromium and the same wheel as bigviz's (`cases/browser.py`).
"""

import holoviews as hv
import panel as pn
from holoviews.operation.datashader import rasterize
from loop import Answer, read, serve, timed

hv.extension("bokeh")
frame = None


def load(path: str, columns: list[str]) -> Answer:
    """Columns as a pandas frame in memory."""
    global frame
    seconds, frame = timed(lambda: read(path, columns).combine_chunks().to_pandas())
    return Answer(seconds)


def start(port: int, width: int, height: int) -> Answer:
    """Serve the page on a port of this machine; it is ready when this answers."""

    def page():
        image = rasterize(hv.Points(frame, ["x", "y"]), aggregator="count", width=width, height=height)
        look = {"cmap": "fire", "cnorm": "eq_hist", "active_tools": ["wheel_zoom"]}
        return pn.pane.HoloViews(image.opts(frame_width=width, frame_height=height, **look))

    options = {"port": port, "address": "127.0.0.1", "websocket_origin": f"127.0.0.1:{port}"}
    seconds, _ = timed(lambda: pn.serve({"/plot": page}, threaded=True, show=False, **options))
    return Answer(seconds, None, {"url": f"http://127.0.0.1:{port}/plot"})


serve(load, start)
