"""Tiles, images and rows of a served layer, over HTTP."""

import io
import json
from urllib.request import urlopen

import numpy as np
import pyarrow as pa

LAYER = "http://127.0.0.1:5006/points/layers/0"


def get(path: str) -> bytes:
    with urlopen(f"{LAYER}/{path}") as answer:
        return answer.read()


about = json.loads(get("tilejson.json"))
print(f"{about['rows']} rows, x and y from {about['range'][:2]} to {about['range'][2:]}")

with open("tile.png", "wb") as file:
    file.write(get("tiles/0/0/0.png?agg=mean(value)&cmap=bmy"))

counts = np.load(io.BytesIO(get("tiles/0/0/0.npy")))
print(f"a tile of {counts.shape} cells that hold {counts.sum()} rows")

rows = pa.ipc.open_file(get("rows.arrow?x0=-0.1&x1=0.1&y0=-0.1&y1=0.1&limit=3")).read_all()
print(rows.to_pandas())
