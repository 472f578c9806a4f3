"""Numbers and words that Python and the page's modules both hold are the same in both."""

from __future__ import annotations

import ast
import operator
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bigviz.export.png.theme import THEMES, Rgb, rgb
from bigviz.library import views
from bigviz.render import contrast

STATIC = Path(__file__).parents[1] / "bigviz" / "static"
# A module, one of the page's, and the names (in Python perhaps with a _ before them) that both have.
PAIRS = [
    ("wire.frames", "wire/frames.js", "VERSION MAX_FRAME MAX_LEVEL LATER GONE MALFORMED DENIED UNUSABLE OTHER_VERSION"),
    ("wire.images", "wire/images.js", "BLOCK"),
    ("server.access.credentials", "embed/frame.js", "PROTOCOL TOKEN_PROTOCOL"),
    ("export.html.export", "offline/file-socket.js", "FORMAT"),
    ("export.axes.span", "geometry/span.js", "SHORTEST FLOAT_MAX FLOAT_STEPS"),
    ("export.axes.span", "geometry/home.js", "HOME_PADDING"),
    ("aggregate.layer_options", "geometry/home.js", "BINS"),
    ("export.axes.axis", "axes/axis.js", "LONGEST_LABEL MOST_MINOR SUPERSCRIPTS"),
    ("export.axes.values", "axes/values.js", "FEWEST MOST CERTAIN"),
    ("export.axes.nice_numbers", "axes/nice-numbers.js", "SHORT LARGE UP DOWN"),
    ("export.axes.time_ticks", "axes/time-ticks.js", "SECOND MINUTE HOUR DAY YEAR"),
    ("export.axes.zones", "axes/zones.js", "HOUR"),
    ("export.png.chrome.canvas", "axes/draw.js", "FONT_SIZE"),
    ("export.png.chrome.axes", "axes/draw.js", "MINOR"),
    ("export.png.chrome.frame", "axes/draw.js", "TICK X_SPACING X_SPACING_TIME Y_SPACING NARROW LOCK"),
    ("export.png.chrome.frame", "figure/legend/label-room.js", "SLACK"),
    (
        "export.png.chrome.colour_bar",
        "figure/legend/legend.js",
        "GAP GAP_ACROSS EDGE LINE TITLE_ROOM BESIDE LABEL_GAP ASTRAY",
    ),
    ("export.png.chrome.category_legend", "figure/legend/legend.js", "TITLE_SHARE"),
    ("export.png.chrome.label_legend", "figure/legend/label-legend.js", "INK SHARE LEAST_WORDS"),
    ("export.png.figure", "ui/save-png.js", "TITLE"),
    ("export.png.document", "ui/save-png.js", "TITLE"),
    ("export.png.shown_layer", "layers/data-range.js", "MOST_CELLS"),
    ("export.png.shown_layer", "layers/layer-style.js", "LINE_WIDTH"),
    ("export.png.data.cells", "render/resample.js", "MANY"),
    ("export.png.data.spread", "render/spread.js", "SPARSE CROWDED ROOM FARTHEST"),
    ("export.png.data.lines", "layers/lines/line-layer.js", "DOT"),
    ("export.png.data.rows", "layers/rows/marks-layer.js", "FEW PILED LEAST_STEP DASH STEADY"),
    ("export.png.data.ink", "layers/rows/marks-layer.js", "HIDDEN"),
    ("export.png.data.ink", "render/marks.js", "OUTLINE PLAIN SHEEREST GAP LEAST_CELL"),
    ("export.png.data.lattice", "layers/tiles/lattice.js", "FILLED LEAST_PAIRS CROWDED FEW"),
    (
        "export.png.data.stamps",
        "render/marks.js",
        "OUTLINED LARGEST SMALLEST COVERED PHASES CRISP BROAD BAR SLIM",
    ),
    ("export.png.data.bands", "layers/tiles/bands.js", "LEAST_STEP GAP"),
    ("render.contrast", "render/contrast.js", "RISES DARKEST SEEN MOST"),
    ("render.norm", "render/distribution.js", "BINS LARGEST SMALLEST"),
    ("render.shade", "render/category-mix.js", "LEAST_WEIGHT HEAVY LIGHTER"),
]
OPERATIONS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.LShift: operator.lshift,
}  # fmt: skip


def constants(path: str) -> dict[str, Any]:
    """The numbers and texts that a module of the page gives names to, those before them among its words."""
    found: dict[str, Any] = {}
    for name, text in re.findall(r"^(?:export )?const ([A-Z_]+) = (.+);$", (STATIC / path).read_text("utf-8"), re.M):
        try:
            found[name] = value(ast.parse(text, mode="eval").body, found)
        except (SyntaxError, LookupError):
            continue  # of another kind
    return found


def value(node: ast.expr, names: dict[str, Any]) -> Any:
    """Sums, products and powers of literals are written alike in both languages."""
    match node:
        case ast.Constant(value=found):
            return found
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -value(inner, names)
        case ast.BinOp(left=left, op=operation, right=right):
            return OPERATIONS[type(operation)](value(left, names), value(right, names))
    raise LookupError(ast.dump(node))


@pytest.mark.parametrize(("module", "path", "names"), PAIRS, ids=[f"{module}-{path}" for module, path, _ in PAIRS])
def test_numbers_and_words(module: str, path: str, names: str) -> None:
    ours, theirs = vars(import_module(f"bigviz.{module}")), constants(path)
    python = {name: ours.get(name, ours.get(f"_{name}")) for name in names.split()}
    assert None not in python.values() and python == {name: theirs.get(name) for name in names.split()}


def test_opacities_of_the_lowest_sum_of_categories() -> None:
    names = ("export.png.data.points", "render.shade")
    lowest = {import_module(f"bigviz.{name}")._FAINTEST for name in names}
    assert lowest == {constants("render/shade.js")["MIN_ALPHA"]}


def test_ids_of_views() -> None:
    text = (STATIC / "embed" / "autoload.js").read_text("utf-8")
    assert re.findall(r"VIEW_ID = /\^(.+)\$/;", text) == [views._ID.pattern]


def test_colours_of_a_page() -> None:
    text = (STATIC / "render" / "theme.js").read_text("utf-8")
    palettes = re.findall(r"Object\.freeze\(\{\n(.*?)\n  \}\)", text, re.S)
    assert len(palettes) == len(THEMES) == 2
    for palette, ours in zip(palettes, THEMES.values(), strict=True):
        colours = {name: rgb(digits) for name, digits in re.findall(r'(\w+): "#([0-9a-f]{6})"', palette)}
        lines = re.search(r"line: \[(.*)\]", palette)
        assert lines and f"dark: {str(ours.dark).lower()}" in palette
        snake = {re.sub(r"[A-Z]", lambda each: f"_{each[0].lower()}", name): found for name, found in colours.items()}
        mine: dict[str, Rgb] = {name: found for name, found in vars(ours).items() if name not in ("dark", "line")}
        assert snake == mine
        assert tuple(map(rgb, re.findall(r"#([0-9a-f]{6})", lines[1]))) == ours.line
    assert (THEMES["light"].plot_light, THEMES["light"].plot_dark) == (contrast.PLOT_LIGHT, contrast.PLOT_DARK)
