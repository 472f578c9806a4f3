"""Requests that nobody should make, of HTTP and of the websocket, drawn at random from a seeded generator."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

__all__ = [
    "AGGS", "brush", "message", "of_session", "path_of_layer", "path_of_site", "quoted", "selection",
]  # fmt: skip

NUMBERS: Final = (
    "0", "1", "-1", "-0", "0.5", "5e-324", "2e-308", "1e308", "-1e308", "1.7976931348623157e308", "1e999", "-1e999",
    "NaN", "nan", "Infinity", "9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "18446744073709551615", "18446744073709551616", "9" * 400, "1" + "0" * 308, "9" * 5_000, "", " ", "+1", "0x10",
    "1_000", "1,5", "\u0663", "\0", "null", "1e", ".", "x",
)  # fmt: skip
PAIRS: Final = (
    ("-1", "5"), ("0", "1"), ("-9223372036854775808", "9223372036854775807"), ("0", "18446744073709551616"),
    ("-1e308", "1e308"), ("-1.7976931348623157e308", "1.7976931348623157e308"), ("0", "5e-324"), ("0", "1e-307"),
    ("-5e-324", "5e-324"), ("5", "5"), ("9", "-9"), ("18446744073709551614", "18446744073709551615"),
    ("9223372036854775806", "9223372036854775807"), ("-9223372036854775808", "-9223372036854775807"), ("-0.5", "8"),
    ("-20000000000000000000", "-19000000000000000000"), ("-1000000000000000000", "1000000000000000000"),
    ("1e307", "1.1e307"), ("-86400000000000", "86400000000001"),
)  # fmt: skip
SIZES: Final = (
    "1", "2", "7", "40", "300", "0", "-1", "16384", "16385", "1000000000", "9223372036854775808", "9" * 5_000, "1.5",
    "1e3", "NaN", "", "x", "\0",
)  # fmt: skip
PLACES: Final = (
    "0", "1", "2", "3", "15", "16777215", "16777216", "999999999", "1000000000", "9" * 400, "-1", "x", "1.5", "%00",
    "1%2c1", "",
)  # fmt: skip
LEVELS: Final = (
    *(str(z) for z in (0, 0, 1, 2, 3, 8, 24, 25, 63, 64)), "0,1", "1,0", "24,0", "0,24", "3,9", "25,0", "1,1,1",
    "9" * 400, "-1", "x",
)  # fmt: skip
ROW_NUMBERS: Final = (
    *(str(row) for row in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10**9, 10**11)), "-1", str(2**63), "9" * 400, "x", "%00",
    "1.5", "01", "",
)  # fmt: skip
AGGS: Final = (
    "count", "any", "count({})", "any({})", "sum({})", "mean({})", "min({})", "max({})", "first({})", "last({})",
    "by({})", "by({}, count({}))", "by({}, mean({}))", "by({}, min({}))", "by({}, first({}))",
)  # fmt: skip
BAD_AGGS: Final = (
    "", " ", "sum", "sum()", "count()", "count(", "by(by(x))", "by(x, by(x))", "mean(x", "mean(x))", "`", "`x`",
    "mean(`x``)", "sum(\0)", "(" * 3_000, "by(" * 1_300, "a" + " " * 4_000 + "(", "x" * 5_000, "mean('x')",
    'mean("x")', "eval(x)", "\u202ecount", "count\ncount", "sum(__proto__)",
)  # fmt: skip
WORDS: Final = {
    "glyph": ("points", "line", "", "LINE", "__proto__", "\0"),
    "xaxis": ("linear", "log", "datetime", "mercator", "", "mercator-x", "\0"),
    "yaxis": ("linear", "log", "datetime", "mercator", "", "x"),
    "root": ("default", "full", "", "\0"),
    "cmap": ("fire", "viridis", "bmy", "glasbey", "", "__proto__", "x" * 5_000, "\0"),
    "how": ("linear", "log", "cbrt", "eq_hist", "", "p1"),
    "low": NUMBERS,
    "high": NUMBERS,
}
_LONGEST: Final = 12_000
_ROUTES: Final = (
    "tilejson.json",
    "npy",
    "arrow",
    "png",
    "image.npy",
    "image.png",
    "columns.arrow",
    "bars.arrow",
    "rows.arrow",
    "rows.json",
    "row",
)

KEPT = ("{} is null", "{} > 1", "{} in ('a', 1)", "not {}")


def quoted(name: str) -> str:
    """A column's name within a reduction."""
    return "`" + name.replace("`", "``") + "`"


def path_of_layer(rng: random.Random, document: str, columns: Sequence[str], hostile: float) -> str:
    """The path and query of a layer route over any of the columns, of at most 12,000 characters; the higher `hostile`,
    the more of it is nonsense."""
    while True:
        path = _path(rng, document, columns, hostile)
        if len(path) <= _LONGEST:
            return path


def _path(rng: random.Random, document: str, columns: Sequence[str], hostile: float) -> str:
    x, y = rng.choice(columns), rng.choice(columns)
    query: list[tuple[str, str]] = [("x", x if rng.random() < 0.8 else "x"), ("y", y if rng.random() < 0.6 else "y")]
    query.append(("agg", _agg(rng, columns, hostile)))
    route = rng.choice(_ROUTES)
    if route == "columns.arrow" or rng.random() < 0.2:
        query[2:] = [("glyph", "line")]
    elif route == "bars.arrow":
        query[1:] = [("glyph", rng.choice(("histogram", "bar"))), ("bins", _size(rng, hostile))]
    if rng.random() < 0.2:
        query.append(("root", "full"))
    if rng.random() < 0.1:
        query += [(f"{axis}axis", rng.choice(WORDS["xaxis"][:4])) for axis in "xy"]
    query += _arguments(rng, route, columns, hostile)
    for name, words in WORDS.items():
        if rng.random() < hostile / 10:
            query.append((name, rng.choice(words)))
    tail = route
    if route in ("npy", "arrow", "png"):
        place = (rng.choice(LEVELS), rng.choice(PLACES), rng.choice(PLACES)) if rng.random() < hostile else _tile(rng)
        if route == "png" and "24" in place[0]:
            place = ("5,6", "0", "1")  # colours of a deep level take a walk through those above it
        tail = f"tiles/{place[0]}/{place[1]}/{place[2]}.{route}"
    elif route == "row":
        tail = f"rows/{rng.choice(ROW_NUMBERS) if rng.random() < 0.5 else rng.randrange(9)}.json"
    text = urlencode(query, errors="surrogatepass")
    if rng.random() < hostile / 20:
        text += rng.choice(
            ["&x=%ff", "&x=%C3%28", "&agg=%ED%A0%80", "&%00=%00", "&", "&&&=&=", "&" * 500, "&x", "&y=%", ";"]
        )
    layer = (
        "0"
        if rng.random() > hostile / 20
        else rng.choice(["1", "-1", "x", "00", "%00", "9" * 400, "\u0663".encode().hex()])
    )
    return f"/{quote(document, safe='')}/layers/{layer}/{tail}?{text}"


def path_of_site(rng: random.Random, documents: Sequence[str]) -> str:
    """The path of a route of no layer."""
    name = quote(rng.choice(documents), safe="")
    odd = rng.choice(
        [
            "%00",
            "%ff",
            "%2e%2e",
            "..",
            "%2f",
            "_",
            "x" * 5_000,
            "%F0%9F%98%80",
            "a%20b",
            "%25",
            "%0d%0aX:%20y",
            "\\",
            "~",
        ]
    )
    fits = [
        "/", f"/{name}", f"/{name}/", f"/_/api/documents/{name}/thumbnail.png", "/healthz", "/metrics", f"/{name}/ws",
        "/_/static/main.js",
    ]  # fmt: skip
    wrong = [
        f"/{odd}", f"/{odd}/", f"/{odd}/ws", f"/_/api/documents/{odd}/thumbnail.png", f"/_/static/{odd}",
        f"/_/static/../{odd}", "//", "/?%00", f"/{name}/layers", f"/{name}/layers/0", f"/{name}/layers/0/{odd}",
        f"/{name}/layers/{odd}/tilejson.json", f"/{name}//layers/0/tilejson.json", f"/{name}/?x=%ff&v=1",
        "/_/static/", "/_/static/vendor", f"/healthz?{odd}", f"/metrics?{odd}",
    ]  # fmt: skip
    return rng.choice(fits if rng.random() < 0.5 else wrong)


def message(rng: random.Random, definition: dict[str, Any], columns: Sequence[str], hostile: float) -> dict[str, Any]:
    """A `layer` or `view` message over any of the columns, without its id."""
    made = {**definition, "x": rng.choice(columns), "y": rng.choice([*columns[:2], rng.choice(columns)])}
    for name in ("xaxis", "yaxis"):
        made.pop(name)
    made["agg"] = _agg(rng, columns, hostile)
    line = rng.random() < 0.3
    if line:
        made |= {"glyph": "line", "agg": "any"}
    for name in ("glyph", "xaxis", "yaxis", "root"):
        if rng.random() < hostile / 10:
            made[name] = rng.choice(WORDS[name])
    if rng.random() < 0.4:
        return {"op": "layer", "figure": 0, "layer": 0, "definition": made}
    ends = {f"{axis}{at}": end for axis in "xy" for at, end in enumerate(_pair(rng, hostile))}
    wanted: dict[str, Any] = {"layer": 0, "definition": made}
    if line and rng.random() < 0.7:
        wanted["columns"] = {"x0": ends["x0"], "x1": ends["x1"], "width": _size(rng, hostile)}
    else:
        wanted["tiles"] = [_place(rng, hostile) for _ in range(rng.randrange(4))]
        wanted["prefetch"] = [_place(rng, hostile) for _ in range(rng.randrange(2))]
        if rng.random() < 0.6:
            wanted["window"] = {**ends, "width": _size(rng, hostile), "height": _size(rng, hostile)}
        if rng.random() < hostile / 4:
            wanted["roots"] = rng.choice([{}, [], {"x": ["0"], "y": None}, {"z": 1}])
    return {"op": "view", "figure": 0, "layers": [wanted]}


def selection(rng: random.Random, columns: Sequence[str], hostile: float) -> tuple[str, dict[str, Any]]:
    """The query and the body of a `select` over any of the columns."""
    query = urlencode([(axis, rng.choice(columns)) for axis in "xy"]) if rng.random() < 0.6 else ""
    if rng.random() < 0.2:
        query += "&glyph=" + rng.choice(("line", "histogram", "bar"))
    (x0, x1), (y0, y1) = _pair(rng, hostile), _pair(rng, hostile)
    corners = [[rng.choice(_pair(rng, hostile)), rng.choice(_pair(rng, hostile))] for _ in range(rng.choice((3, 40)))]
    shapes: dict[str, Any] = {"box": [x0, y0, x1, y1], "range": [x0, x1], "lasso": corners}
    name = rng.choice(list(shapes))
    body: dict[str, Any] = {name: shapes[name]}
    if rng.random() < 0.4:
        body["stats"] = [rng.choice(columns)]
    if rng.random() < 0.2:
        body["by"] = rng.choice(columns)
    if rng.random() < 0.3:
        body["filter"] = rng.choice(KEPT).format(quoted(rng.choice(columns)))
    if rng.random() < hostile / 2:
        body[rng.choice(list(body))] = rng.choice((None, [], {}, 1e308, 10**400, "\ud800", [None] * 4, [[[]]], True))
    return query, body


def brush(rng: random.Random, dataset: str, columns: Sequence[str], hostile: float) -> dict[str, Any]:
    """A `brush` message over any of the columns, without its id."""
    source = _brushed(rng, dataset, columns)
    made = {"op": "brush", "figure": 0, "layer": 0, "definition": source, "seq": rng.choice((0, 1, 2**53 - 1))}
    made |= _shape(rng, str(source["glyph"]), hostile)
    made["targets"] = [_target(rng, _brushed(rng, dataset, columns), hostile) for _ in range(rng.choice((1, 2, 3)))]
    if rng.random() < 0.2:
        other = _brushed(rng, dataset, columns)
        made["others"] = [{"figure": 0, "definition": other, **_shape(rng, str(other["glyph"]), hostile)}]
        if rng.random() < 0.3:
            made["others"][0]["figures"] = rng.choice(([0], [], [0, 7], [-1], "0"))
    if rng.random() < 0.1:
        control = rng.choice(("least", "nope", "", "\0"))
        made["numbers"] = [{"control": control, "values": rng.choice(({}, {"a": 1}, 3))}]
    if rng.random() < 0.1:
        made["control"] = rng.choice(("least", "nope", ""))
    if rng.random() < hostile / 2:
        made[rng.choice(list(made)[1:])] = rng.choice((None, [], {}, -1, 1e308, 10**400, "\ud800", [None], [[]], True))
    return made


def of_session(rng: random.Random) -> dict[str, Any]:
    """A `control`, `range` or `selection` message, without its id."""
    value = rng.choice((*NUMBERS, None, True, 10**400, -(10**400), 1e308, math.nan, [], [1, 2], [[]], {}, "\ud800"))
    return rng.choice((
        {"op": "control", "control": rng.choice(("least", "nope", "", "\0")), "value": value},
        {"op": "range", "ranges": rng.choice(({"x0": [value, value]}, {"x0": [0, value]}, {"nope": [0, 1]}, value))},
        {"op": "selection", "figure": rng.choice(("f0", "nope")), "selection": value},
    ))  # fmt: skip


def _brushed(rng: random.Random, dataset: str, columns: Sequence[str]) -> dict[str, Any]:
    glyph = rng.choice(("points", "points", "line", "histogram", "bar"))
    made = {"dataset": dataset, "glyph": glyph, "x": rng.choice(("x", "x", rng.choice(columns)))}
    if glyph in ("points", "line"):
        made["y"] = rng.choice(("y", rng.choice(columns)))
    if glyph != "line":
        made["agg"] = _agg(rng, columns, 0)
    if rng.random() < 0.3:
        made["filter"] = rng.choice(KEPT).format(quoted(rng.choice(columns)))
    return made


def _shape(rng: random.Random, glyph: str, hostile: float) -> dict[str, Any]:
    if glyph == "bar":
        return {"labels": rng.choice((["a"], [], ["nope"], ["\ud800"]))}
    (x0, x1), (y0, y1) = _pair(rng, hostile), _pair(rng, hostile)
    return {"box": [x0, y0, x1, y1]} if glyph == "points" else {"range": [x0, x1]}


def _target(rng: random.Random, definition: dict[str, Any], hostile: float) -> dict[str, Any]:
    made: dict[str, Any] = {"figure": 0, "layer": 0, "definition": definition}
    if definition["glyph"] == "points":
        made["view"] = rng.choice(([0, 0, 0, 0, 256, 256], [24, 24, 2**32, -(2**32), 10, 10], [3, 0, -5, 7, 40, 1]))
    elif definition["glyph"] != "bar":
        x0, x1 = _pair(rng, hostile)
        made["columns"] = {"x0": x0, "x1": x1, "width": _size(rng, hostile)}
    return made


def _agg(rng: random.Random, columns: Sequence[str], hostile: float) -> str:
    if rng.random() < hostile / 10:
        return rng.choice(BAD_AGGS)
    text = rng.choice(AGGS)
    return text.format(*(quoted(rng.choice(columns)) for _ in range(text.count("{}"))))


def _arguments(rng: random.Random, route: str, columns: Sequence[str], hostile: float) -> list[tuple[str, str]]:
    """What the route needs: ends of a window and sizes."""
    found: list[tuple[str, str]] = []
    axes = {"image.npy": "xy", "image.png": "xy", "rows.arrow": "xy", "rows.json": "xy"}
    axes |= {"columns.arrow": "x", "bars.arrow": "x"}
    for axis in axes.get(route, ""):
        found += zip((f"{axis}0", f"{axis}1"), map(str, _pair(rng, hostile)), strict=True)
    if route.startswith("image"):
        found += [("width", _size(rng, hostile)), ("height", _size(rng, hostile))]
    elif route == "columns.arrow":
        found.append(("width", _size(rng, hostile)))
    elif route.startswith("rows.") and rng.random() < 0.5:
        found.append(("limit", _size(rng, hostile)))
    if route.startswith("rows.") and rng.random() < 0.5:
        found += [("order_by", rng.choice(columns)), ("desc", rng.choice("01"))]
    if found and rng.random() < hostile / 10:
        found.remove(rng.choice(found))
    return found


def _pair(rng: random.Random, hostile: float) -> Sequence[str]:
    return (rng.choice(NUMBERS), rng.choice(NUMBERS)) if rng.random() < hostile else rng.choice(PAIRS)


def _size(rng: random.Random, hostile: float) -> str:
    return rng.choice(SIZES if rng.random() < hostile else SIZES[:5])


def _tile(rng: random.Random) -> tuple[str, str, str]:
    zx, zy, i, j = _place(rng, 0)
    return (str(zx) if zx == zy else f"{zx},{zy}", str(i), str(j))


def _place(rng: random.Random, hostile: float) -> list[Any]:
    if rng.random() < hostile / 4:
        return rng.choice(
            [[25, 0, 0, 0], [0, 0, 1, 0], [-1, 0, 0, 0], [0.5, 0, 0, 0], ["0", 0, 0, 0], [0, 0, 0], [10**300, 0, 0, 0]]
        )
    zx = rng.choice([0, 0, 1, 3, 24])
    zy = zx if rng.random() < 0.7 else rng.choice([0, 1, 3, 24])
    return [zx, zy, *(rng.choice([0, (1 << z) - 1, rng.randrange(1 << z)]) for z in (zx, zy))]
