"""Thumbnails: what they show, what they cost, and how they are kept."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.layout import column
from bigviz.document.spec import Document
from bigviz.render.contrast import PLOT_DARK
from bigviz.render.thumbnail import ACCENTS
from bigviz.tiles.engine import Engine
from bigviz.tiles.readiness import EXACT

from ..running import Answer, Running, running

ROWS = 50_000
RNG = np.random.default_rng(11)
PATH = "/_/api/documents/{}/thumbnail.png"


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    cloud = bv.open(
        pa.table(
            {
                "x": np.repeat([0.0, 1.0], ROWS // 2) + RNG.random(ROWS) / 4,
                "y": np.repeat([0.0, 1.0], ROWS // 2) + RNG.random(ROWS) / 4,
                "v": RNG.random(ROWS),
                "k": np.repeat(["a", "b"], ROWS // 2),
            }
        ),
        name="cloud",
    )
    stamps = pa.array(1_700_000_000_000_000_000 + np.arange(1_000) * 10**9, pa.timestamp("ns"))
    ticks = bv.open(pa.table({"t": stamps, "up": np.arange(1_000), "d": pa.array(np.arange(1_000), pa.duration("s"))}))
    few = bv.open(pa.table({"x": [0.0, 1.0], "y": [0.0, 1.0]}), name="few")
    none = bv.open(pa.table({"x": pa.array([None], pa.float64()), "y": [1.0]}), name="none")
    line = figure(title="Line").line(ticks, "t", "up", color="#d33")
    return [
        document(figure(title="Cloud").points(cloud, "x", "y"), id="cloud"),
        document(figure(title="Mean").points(cloud, "x", "y", agg="mean(v)", cmap="viridis"), id="mean"),
        document(figure(title="By").points(cloud, "x", "y", agg="by(k)"), id="by"),
        document(line, id="line"),
        document(figure(title="Durations").line(ticks, "d", "up"), id="durations"),
        document(figure(title="Few").points(few, "x", "y"), id="few"),
        document(figure().points(few, "x", "y", color="#d33", size=3, alpha=0.5).points(few, "y", "x"), id="styled"),
        document(figure().points(cloud, "x", "y", color="teal"), id="plain"),
        document(figure(title="None").points(none, "x", "y"), id="none"),
        document(figure(title="Map", x_axis_type="mercator", y_axis_type="mercator").points(few, "x", "y"), id="map"),
        document(column(figure().points(cloud, "x", "y"), line), id="both", title="Both"),
    ]


@pytest.fixture(scope="module")
def served(documents: list[Document]) -> Iterator[Running]:
    with running(documents) as server:
        yield server


def pixels(answer: Answer) -> np.ndarray:
    assert answer.status == 200 and answer.headers["Content-Type"] == "image/png"
    image = Image.open(io.BytesIO(answer.body))
    assert image.size == (480, 300)
    return np.asarray(image.convert("RGBA"))


def ink(shown: np.ndarray, ground: tuple[int, ...]) -> np.ndarray:
    """Shares of pixels that are not ground, in quarters: top left, top right, bottom left, bottom right."""
    other = (shown[..., :3] != ground).any(axis=-1)
    return np.array([[half.mean() for half in np.split(part, 2, 1)] for part in np.split(other, 2, 0)])


@pytest.mark.parametrize("name", ["cloud", "mean"])
def test_points_are_where_the_rows_are(served: Running, name: str):
    shown = pixels(served.get(PATH.format(name)))
    assert (shown[..., 3] == 255).all() and shown[0, 0].tolist() == [*PLOT_DARK, 255]
    quarters = ink(shown, PLOT_DARK)
    assert (quarters[0, 1] > 0.1) and (quarters[1, 0] > 0.1) and quarters[0, 0] == quarters[1, 1] == 0


def test_categories_are_mixed_on_a_light_ground(served: Running):
    shown = pixels(served.get(PATH.format("by")))
    assert shown[0, 0].tolist() == [255, 255, 255, 255]
    colours = {tuple(shown[part].reshape(-1, 4)[:, :3].min(axis=0)) for part in (np.s_[:150, 240:], np.s_[150:, :240])}
    assert len(colours) == 2


@pytest.mark.parametrize(("name", "colour"), [("line", (221, 51, 51)), ("durations", ACCENTS[0][:3])])
def test_lines_rise_over_the_pages_own_ground(served: Running, name: str, colour: tuple[int, ...]):
    shown = pixels(served.get(PATH.format(name)))
    drawn = shown[..., 3] > 128
    assert (shown[drawn, :3] == colour).all() and (shown[0, 0] == 0)[3]
    rows, columns = np.nonzero(drawn)
    assert columns.min() < 30 and columns.max() > 450
    assert np.corrcoef(rows, columns)[0, 1] < -0.99, "row 0 is the top"


def test_few_rows_are_marks(served: Running):
    shown = pixels(served.get(PATH.format("few")))
    drawn = shown[..., 3] > 0
    assert 40 < drawn.sum() < 200 and (shown[drawn] == ACCENTS[0]).all()
    assert drawn[150:, :240].any() and drawn[:150, 240:].any()
    assert pixels(served.get(PATH.format("map")))[..., 3].any()


def test_marks_have_the_colour_of_their_layer(served: Running):
    shown = pixels(served.get(PATH.format("styled")))
    assert (shown[shown[..., 3] > 0] == ACCENTS[1]).all(), "the second layer's lie over the first one's"
    shown = pixels(served.get(PATH.format("plain")))
    assert (shown[shown[..., 3] > 0] == (0, 128, 128, 255)).all() and (shown[..., 3] == 0).any(), "all 50,000 rows"


def test_a_document_without_a_row_is_blank(served: Running):
    assert not pixels(served.get(PATH.format("none")))[..., 3].any()


def test_figures_share_the_picture(served: Running):
    shown = pixels(served.get(PATH.format("both")))
    assert (shown[:147, :, 3] == 255).all() and (shown[147:153, :, 3] == 0).all()
    assert (shown[153:][shown[153:, :, 3] > 128][:, :3] == (221, 51, 51)).all()


def test_it_is_drawn_once(served: Running):
    first = served.get(PATH.format("cloud"))
    again = served.get(PATH.format("cloud"), If_None_Match=first.headers["Etag"])
    assert again.status == 304 and not again.body
    assert served.get(PATH.format("cloud")).body == first.body
    assert served.get(PATH.format("mean")).headers["Etag"] != first.headers["Etag"]
    assert served.get(PATH.format("nope")).status == 404


def test_a_large_table_is_drawn_from_a_sample_and_not_indexed(documents: list[Document]):
    engine = Engine(preview_rows=10_000)
    wide = bv.open(pa.table({"x": RNG.random(ROWS), "y": RNG.random(ROWS), "z": RNG.random(ROWS)}), name="wide")
    first = document(figure(title="Few").points(wide, "x", "z"), id="first")
    large = document(figure(title="Large").points(wide, "x", "y"), id="large")
    with running([first, large], engine) as server:
        server.await_event("built")
        estimate = server.get(PATH.format("large"))
        assert ink(pixels(estimate), PLOT_DARK).min() > 0.05
        backend = server.server.site.loaded
        asked = backend.asked(large, 0, lambda name: None)
        assert engine.readiness(asked.dataset, asked.layer) not in EXACT
        engine.ensure(asked.dataset, asked.layer)
        exact = server.get(PATH.format("large"), If_None_Match=estimate.headers["Etag"])
        assert exact.status == 200 and exact.headers["Etag"] != estimate.headers["Etag"]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([2.0**1023, -(2.0**1023), 0.0]),
        pa.array([math.nextafter(2.0**1023, 0), -math.nextafter(2.0**1023, 0), 0.0]),
        pa.array([0.0, 5e-324, 1e-323]),
        pa.array([1e300, 1e300, 1e300]),
        pa.array([0, 1, 2**64 - 1], pa.uint64()),
        pa.array([-(2**63), 0, 2**63 - 1]),
        pa.array([-(2**63), 0, 2**63 - 1], pa.timestamp("ns")),
        pa.array([0, 0, 0], pa.duration("s")),
    ],
    ids=["2^1023", "largest", "denormal", "one", "uint64", "int64", "stamps", "zero"],
)
def test_numbers_at_the_ends_of_their_types_are_drawn(values: pa.Array):
    """As points and as lines, on axes that are locked together and not."""
    data = bv.open(pa.table({"v": values, "w": values}), name="ends")
    axes = ((None, None), (None, "locked"), ((5e-324, 1e-323), None), ((-1.7e308, 1.7e308), "locked"))
    figures = []
    for ends, aspect in axes if pa.types.is_floating(values.type) else axes[:2]:
        figures.append(figure(aspect=aspect, x_range=ends).points(data, "v", "w").line(data, "v", "w"))
    with running([document(column(*figures), id="ends")]) as server:
        assert pixels(server.get(PATH.format("ends"))).any()


def test_layers_of_any_size_share_a_figure():
    """Numbers of 1e308 beside denormal ones: the smaller are less than a pixel."""
    huge, tiny = bv.open(pa.table({"v": [-1e308, 1e308]})), bv.open(pa.table({"v": [5e-324, 1e-322]}))
    made = figure().points(huge, "v", "v").points(tiny, "v", "v").line(tiny, "v", "v")
    with running([document(made, id="both")]) as server:
        assert pixels(server.get(PATH.format("both"))).any()
