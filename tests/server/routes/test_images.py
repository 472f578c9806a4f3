"""`image.npy`: exact images of any window, within limits."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.server.limits import Limits

from ..running import Running, running
from .answers import WINDOW, L, failure, npy


def test_image_is_exact(served: Running, dataset):
    x, y = (dataset.column(name).values.astype(float) for name in ("x", "y"))
    image = npy(served.get(f"{L}/image.npy?{WINDOW}&width=7&height=5").body)
    assert image.shape == (5, 7)
    inside = (x >= -1) & (x <= 1) & (y >= -1) & (y <= 2)
    assert image.sum() == inside.sum()
    top = inside & (y >= -1 + 3 * 4 / 5)
    assert abs(int(image[0].sum()) - int(top.sum())) <= 1


def test_image_of_a_window_of_times(served: Running, dataset):
    start = 1_700_000_000_000_000_000
    path = f"{L}/image.npy?x=t&x0={start}&x1={start + 999_999_999}&y0=-100&y1=100&width=10&height=1"
    np.testing.assert_array_equal(npy(served.get(path).body), [[100] * 10])


def test_a_mean_of_times_is_exact(served: Running, dataset):
    times, x, y = (dataset.column(name).values for name in ("t", "x", "y"))
    image = npy(served.get(f"{L}/image.npy?{WINDOW}&width=1&height=1&agg=mean(t)").body)
    inside = times[(x >= -1) & (x <= 1) & (y >= -1) & (y <= 2)].tolist()
    assert image.view(np.int64).tolist() == [[sum(inside) // len(inside)]]


@pytest.mark.parametrize(
    ("query", "field", "status"),
    [
        ("x0=nan&x1=1&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x1=inf&y0=0&y1=1&width=9&height=9", "x1", 400),
        ("x0=0&x1=1&y0=-Infinity&y1=1&width=9&height=9", "y0", 400),
        ("x0=1&x1=0&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=1&x1=1&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x1=1&y0=0&y1=5e-324&width=9&height=9", "y0", 400),
        ("x0=-1.7e308&x1=1.7e308&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=1e999&x1=2&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0x10&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=1_0&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x0=1&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=%ff&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=%3Cscript%3E&x1=32&y0=0&y1=1&width=9&height=9", "x0", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=0&height=9", "width", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=-5&height=9", "width", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=1.5&height=9", "width", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9", "height", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=1000000000&height=9", "width", 413),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=1000000000", "height", 413),
        ("x0=0&x1=1&y0=0&y1=1&width=16000&height=16000", "width", 413),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&x=nope", "x", 404),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&x=pair", "x", 422),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&agg=mean(label)", "agg", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&agg=__import__(os)", "agg", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&glyph=bars", "glyph", 400),
        ("x0=0&x1=1&y0=0&y1=1&width=9&height=9&xaxis=cubic", "xaxis", 400),
        ("x0=0.5&x1=99&y0=0&y1=1&width=9&height=9&x=t", "x0", 400),
        ("x0=0&x1=9223372036854775808&y0=0&y1=1&width=9&height=9&x=t", "x1", 400),
    ],
)
def test_images_that_cannot_be(served: Running, query, field, status):
    found = failure(served, f"{L}/image.npy?{query}", status)
    assert found["field"] == field
    assert b"<" not in json.dumps(found).encode() or b"<script" not in served.get(f"{L}/image.npy?{query}").body


@settings(max_examples=150, deadline=None)
@given(st.floats(width=64), st.floats(width=64), st.sampled_from(["x0,x1", "y0,y1"]))
def test_no_two_floats_crash_an_image(served: Running, a: float, b: float, axis: str):
    window = {"x0": -1.0, "x1": 1.0, "y0": -1.0, "y1": 1.0} | dict(zip(axis.split(","), (a, b), strict=True))
    query = "&".join(f"{name}={value!r}" for name, value in window.items())
    answer = served.get(f"{L}/image.npy?{query}&width=5&height=4")
    low, high = axis.split(",")
    if answer.status == 200:
        assert math.isfinite(a) and math.isfinite(b) and a < b
        assert npy(answer.body).sum() <= 100_000
    else:
        assert answer.status == 400 and json.loads(answer.body)["field"] in (low, high)
        assert not (a < b and b - a > 1e-3 and max(abs(a), abs(b)) < 1e12)


def test_images_have_a_common_budget(documents):
    limits = Limits(answer_bytes=30 * 100 * 100)
    with running(documents[:1], limits=limits) as server:
        found = failure(server, f"{L}/image.npy?{WINDOW}&width=200&height=100", 413)
        assert "limit" in found["error"]
        assert server.get(f"{L}/image.npy?{WINDOW}&width=100&height=100").status == 200
        assert server.get(f"{L}/image.npy?{WINDOW}&width=100&height=100&agg=mean(value)").status == 200, "given back"
        server.on_loop(lambda: server.server.site.budget.admit(20 * 100 * 100))
        answer = server.get(f"{L}/image.npy?{WINDOW}&width=101&height=100")
        assert answer.status == 503 and answer.headers["Retry-After"] == "1"
