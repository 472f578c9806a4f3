"""What is to be shown, as text: the part of a page's address after #, or the ends of ranges. As in
static/ui/address/url-state.js."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.document.spec import HOWS, Document, FigureSpec, LayerSpec
from bigviz.document.substitute import substituted
from bigviz.export.png.shown_layer import Choice
from bigviz.render.colormaps import canonical
from bigviz.render.norm import Clip, Percentile
from bigviz.server.jobs.layer_ref import LayerRef, overridden, published, values_in_query
from bigviz.server.open_datasets import dataset_of

__all__ = ["ViewText", "chosen", "read_view"]

_LONGEST: Final = 8192
_KEYS: Final = (
    "x",
    "y",
    "agg",
    "glyph",
    "cmap",
    "how",
    "root",
    "filter",
    "low",
    "high",
    "xaxis",
    "yaxis",
    "x0",
    "x1",
    "y0",
    "y1",
    "follow",
    "c",
)
_NUMBERS: Final = ("integer", "float", "decimal")


@dataclass(frozen=True)
class ViewText:
    """The keys of a page's address; a figure after the first adds .N to each, another layer .N.K. Controls are c.ID."""

    values: Mapping[str, str]

    def of(self, key: str, figure: int, layer: int = 0) -> str | None:
        """What it says of a layer; None where it says nothing."""
        end = f".{figure}.{layer}" if layer else f".{figure}" if figure else ""
        return self.values.get(key + end)


def read_view(text: str | None) -> ViewText:
    """The view that a text describes: an address or its part after #, or `X0,X1` or `X0,X1,Y0,Y1`, ends of the first
    figure's ranges. Raises BadInput."""
    if not text:
        return ViewText({})
    if len(text) > _LONGEST:
        raise BadInput(f"view is at most {_LONGEST:,} characters, got {len(text):,}.", "view", text[:60])
    if "=" in text:
        pairs = parse_qsl(text.rpartition("#")[2], keep_blank_values=True)
        for key, _ in pairs:
            if key.partition(".")[0] not in _KEYS:
                raise BadInput(
                    f"view has the keys of a page's address ({', '.join(_KEYS)}), got {echoed(key, 60)}.",
                    "view",
                    key[:60],
                )
        return ViewText(dict(pairs))
    ends = [part.strip() for part in text.split(",")]
    if len(ends) not in (2, 4) or not all(ends):
        raise BadInput(
            "view is the part of a page's address after #, or the ends of ranges, X0,X1 or X0,X1,Y0,Y1; got "
            f"{echoed(text, 60)}.",
            "view",
            text[:60],
        )
    return ViewText({key: _end(word) for key, word in zip(("x0", "x1", "y0", "y1"), ends, strict=False)})


def chosen(document: Document, figure: FigureSpec, number: int, view: ViewText) -> list[Choice]:
    """The layers of a figure as a view changes them; raises as `LayerRef.resolve` does."""
    return [_choice(document, figure, spec, number, layer, view) for layer, spec in enumerate(figure.layers)]


def _choice(document: Document, figure: FigureSpec, spec: LayerSpec, number: int, layer: int, view: ViewText) -> Choice:
    def get(key: str) -> str | None:
        return view.of(key, number, layer)

    values = values_in_query(document, lambda key: view.values.get("c" + key[1:]))
    base = published(document, figure, spec, values)
    spec = substituted(spec, values)
    changed = overridden(base, document, get, values=values)
    if get("xaxis") is None or get("yaxis") is None:
        changed = _on_its_axes(base, changed, dataset_of(document, spec.dataset), get("xaxis"), get("yaxis"))
    dataset, drawn = changed.resolve(document)
    how = get("how") or spec.how
    if how not in HOWS:
        raise BadInput(f"how is {', '.join(HOWS[:-1])} or {HOWS[-1]}, got {echoed(how, 60)}.", "how", how[:60])
    cmap = canonical(get("cmap") or spec.cmap)
    low, high = (_clip(get(key), own, key) for key, own in (("low", spec.low), ("high", spec.high)))
    return Choice(spec, dataset, drawn, cmap, how, low, high)


def _on_its_axes(base: LayerRef, changed: LayerRef, dataset: Dataset, xaxis: str | None, yaxis: str | None) -> LayerRef:
    """Another column of numbers stays on a log axis, as in the page."""
    own, layer = base.layer, changed.layer
    if xaxis is None and layer.x != own.x and own.xaxis == "log" and dataset.info(layer.x).kind in _NUMBERS:
        layer = replace(layer, xaxis="log")
    if yaxis is None and layer.y != own.y and own.yaxis == "log" and dataset.info(layer.y).kind in _NUMBERS:
        layer = replace(layer, yaxis="log")
    return replace(changed, layer=layer)


def _clip(text: str | None, own: float | None, key: str) -> Clip:
    if text is None or text == "":
        return own if text is None else None
    try:
        number = float(text.removeprefix("p"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(f"{key} is a number, or p and a percentile (p98); got {echoed(text, 60)}.", key, text[:60])
    if text.startswith("p"):
        return Percentile(min(100.0, max(0.0, number)))
    return int(text) if re.fullmatch(r"\s*-?\d{16,20}\s*", text) else number


def _end(word: str) -> str:
    """An end of a range as the page's address has it: a time, written as ISO 8601 has it, becomes nanoseconds."""
    try:
        float(word)
    except ValueError:
        try:
            stamp = datetime.fromisoformat(word)
        except ValueError:
            raise BadInput(
                f"The end of a range is a number, or a time as 2024-03-01T12:00; got {echoed(word, 60)}.",
                "view",
                word[:60],
            ) from None
        stamp = stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)
        since = stamp - datetime(1970, 1, 1, tzinfo=UTC)
        return str((since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000)
    return word
