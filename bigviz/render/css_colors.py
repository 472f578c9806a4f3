"""Colours as CSS writes them: names, hexadecimal digits, rgb() and hsl()."""

from __future__ import annotations

import colorsys
import re
from typing import Final

from PIL import ImageColor

from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput

__all__ = ["Rgba", "rgba"]

Rgba = tuple[int, int, int, int]

_HEX: Final = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_NUMBER: Final = r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"
_CALL: Final = re.compile(
    rf"(?P<space>rgb|hsl)a?\(\s*(?P<a>{_NUMBER}%?|{_NUMBER}deg)(?P<s>\s*,\s*|\s+)(?P<b>{_NUMBER}%?)(?P=s)(?P<c>{_NUMBER}%?)"
    rf"(?:\s*[,/]\s*(?P<alpha>{_NUMBER}%?))?\s*\)"
)
_LONGEST: Final = 64


def rgba(text: object, field: str = "color") -> Rgba:
    """Red, green, blue and opacity, each 0 to 255, of a CSS colour: `steelblue`, `#d33`, `#dd333380`,
    `rgb(70 130 180 / 50%)`, `hsl(207, 44%, 49%)`.

    Numbers beyond a channel's ends are its ends, as in CSS. Raises BadInput, with the nearest name, for anything else.
    """
    word = text.strip().casefold() if isinstance(text, str) and len(text) <= _LONGEST else ""
    if word == "transparent":
        return 0, 0, 0, 0
    named = ImageColor.colormap.get(word, word)
    word = "#{:02x}{:02x}{:02x}".format(*named) if isinstance(named, tuple) else named  # Pillow keeps what it parsed
    if _HEX.fullmatch(word):
        digits = word[1:] if len(word) > 5 else "".join(2 * digit for digit in word[1:])
        red, green, blue, alpha = bytes.fromhex(digits + "ff" * (len(digits) == 6))
        return red, green, blue, alpha
    found = _CALL.fullmatch(word)
    channels = None if found is None else _channels(found)
    if channels is None:
        more = hint(word, list(ImageColor.colormap)) if word.isalpha() else ""
        shown = str(text)[:_LONGEST]
        raise BadInput(
            f"{field} is a CSS colour, such as #d33, steelblue or rgb(70 130 180); got {shown!r}.{more}", field, shown
        )
    return channels


def _channels(found: re.Match[str]) -> Rgba | None:
    """The channels of rgb() or hsl(); None where a unit does not belong there."""
    first, second, third, alpha = found["a"], found["b"], found["c"], found["alpha"]
    opacity = 1.0 if alpha is None else _share(alpha, 1.0)
    if found["space"] == "hsl":
        if first.endswith("%") or not (second.endswith("%") and third.endswith("%")):
            return None
        hue = float(first.removesuffix("deg")) / 360 % 1.0
        shares = colorsys.hls_to_rgb(hue, _share(third, 1.0), _share(second, 1.0))
    else:
        if first.endswith("deg") or len({each.endswith("%") for each in (first, second, third)}) > 1:
            return None
        shares = (_share(first, 255.0), _share(second, 255.0), _share(third, 255.0))
    red, green, blue = (int(share * 255 + 0.5) for share in shares)
    return red, green, blue, int(opacity * 255 + 0.5)


def _share(text: str, whole: float) -> float:
    """A number of `whole`, or a percentage, as 0 to 1."""
    share = float(text[:-1]) / 100 if text.endswith("%") else float(text) / whole
    return min(1.0, max(0.0, share))
