"""`filter=` of the layer routes."""

from __future__ import annotations

import json
from urllib.parse import quote

import numpy as np

from ..running import Running
from .answers import WINDOW, L, npy, table


def test_all_routes_of_a_layer_are_filtered(served: Running, dataset) -> None:
    x, y, value = (dataset.column(name).values for name in ("x", "y", "value"))
    keep, query = value > 0.5, f"filter={quote('value > 0.5')}"
    plain, filtered = served.get(f"{L}/tiles/0/0/0.npy"), served.get(f"{L}/tiles/0/0/0.npy?{query}")
    assert npy(filtered.body).sum() == np.count_nonzero(keep) and plain.headers["ETag"] != filtered.headers["ETag"]
    found = json.loads(served.get(f"{L}/tilejson.json?{query}").body)
    whole = json.loads(served.get(f"{L}/tilejson.json").body)
    assert (found["rows_kept"], whole["rows_kept"]) == (np.count_nonzero(keep), 100_000)
    assert {key: found[key] for key in ("extent", "range", "rows")} == {
        key: whole[key] for key in ("extent", "range", "rows")
    }
    assert found["tiles"][0].endswith(f"?{query}")
    same = served.get(f"{L}/tiles/0/0/0.npy?filter={quote('value>0.50')}")
    assert same.headers["ETag"] == filtered.headers["ETag"], "one spelling, one answer"
    inside = keep & (x >= -1) & (x <= 1) & (y >= -1) & (y <= 2)
    assert npy(served.get(f"{L}/image.npy?{WINDOW}&width=20&height=10&{query}").body).sum() == np.count_nonzero(inside)
    rows = table(served.get(f"{L}/rows.arrow?{WINDOW}&{query}&limit=50").body)
    assert keep[rows["row"].to_numpy()].all() and rows.num_rows == 50


def test_mistakes_of_a_filter_are_told_with_their_character(served: Running) -> None:
    for path in ("tilejson.json", "tiles/0/0/0.npy", f"rows.arrow?{WINDOW}"):
        answer = served.get(f"{L}/{path}{'&' if '?' in path else '?'}filter={quote('value > ')}")
        assert answer.status == 400
        assert {**json.loads(answer.body), "error": ""} == {"error": "", "field": "filter", "got": "", "at": 8}
