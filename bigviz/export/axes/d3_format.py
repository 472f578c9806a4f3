"""Numbers as text in the page's formats: those types of d3-format that the page uses, with its rounding.

Types are e, f, g, r (significant digits, no exponent), s (SI prefix) and d; `trim` removes zeros at the end, `comma`
groups thousands. The minus is U+2212, as in d3. Source: d3-format 3.1 (ISC licence), rewritten.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

__all__ = ["Style", "exponent_of", "formatted", "si_formatter"]

MINUS: Final = "\u2212"
_PREFIXES: Final = ("y", "z", "a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y")
_WIDE: Final = Context(prec=1_200, rounding=ROUND_HALF_UP)  # a double has at most 767 significant digits


@dataclass(frozen=True)
class Style:
    """A format: its type, and the digits after the point (e, f) or significant ones (g, r, s)."""

    type: str
    precision: int = 6
    comma: bool = False
    trim: bool = False


def formatted(value: float, style: Style) -> str:
    """A finite number in a style; `NaN` and infinities are as JavaScript writes them."""
    negative = value < 0 or math.copysign(1, value) < 0
    size = abs(value)
    if not math.isfinite(size):
        return "NaN" if math.isnan(size) else f"{MINUS if negative else ''}Infinity"
    least, most = (1, 21) if style.type in "gprs" else (0, 20)
    digits = max(least, min(most, style.precision))
    text, suffix = _prefixed(size, digits) if style.type == "s" else (_WRITERS[style.type](size, digits), "")
    if style.trim:
        text = _trimmed(text)
    if negative and float(text) == 0:
        negative = False
    whole = re.match(r"\d*", text)
    end = whole.end() if whole else 0
    head, tail = text[:end], text[end:]
    if style.comma:
        head = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", head)
    return f"{MINUS if negative else ''}{head}{tail}{suffix}"


def si_formatter(precision: int, largest: float) -> Callable[[float], str]:
    """A function that writes numbers with the SI prefix of `largest` and `precision` digits after the point."""
    power = max(-8, min(8, exponent_of(largest) // 3)) * 3
    factor, prefix = 10.0**-power, _PREFIXES[8 + power // 3]
    return lambda value: formatted(factor * value, Style("f", precision)) + prefix


def exponent_of(value: float) -> int:
    """The power of ten of a finite number's first digit; 0 for 0."""
    return _parts(abs(value), None)[1]


def _parts(size: float, digits: int | None) -> tuple[str, int]:
    """Significant digits, rounded half up to so many (None: as few as tell the double), and the exponent."""
    if size == 0:
        return "0" * (digits or 1), 0
    if digits is None:
        _, found, exponent = Decimal(repr(size)).normalize(_WIDE).as_tuple()
    else:
        _, found, exponent = Decimal(size).normalize(Context(prec=digits, rounding=ROUND_HALF_UP)).as_tuple()
    text = "".join(map(str, found))
    return text.ljust(digits or 0, "0"), int(exponent) + len(text) - 1


def _exponential(size: float, digits: int) -> str:
    text, power = _parts(size, digits + 1)
    point = f".{text[1:]}" if digits else ""
    return f"{text[0]}{point}e{'-' if power < 0 else '+'}{abs(power)}"


def _fixed(size: float, digits: int) -> str:
    return f"{Decimal(size).quantize(Decimal(1).scaleb(-digits), context=_WIDE):f}"


def _precise(size: float, digits: int) -> str:
    power = _parts(size, digits)[1]
    if power < -6 or power >= digits:
        return _exponential(size, digits - 1)
    return _fixed(size, max(0, digits - 1 - power))


def _rounded(size: float, digits: int) -> str:
    text, power = _parts(size, digits)
    if power < 0:
        return "0." + "0" * (-power - 1) + text
    if len(text) > power + 1:
        return f"{text[: power + 1]}.{text[power + 1 :]}"
    return text + "0" * (power - len(text) + 1)


def _whole(size: float, digits: int) -> str:
    return str(math.floor(size + 0.5))


_WRITERS: Final[dict[str, Callable[[float, int], str]]] = {
    "e": _exponential,
    "f": _fixed,
    "g": _precise,
    "r": _rounded,
    "d": _whole,
}


def _prefixed(size: float, digits: int) -> tuple[str, str]:
    """Significant digits and the SI prefix that belongs after them."""
    text, power = _parts(size, digits)
    step = max(-8, min(8, power // 3)) * 3
    at = power - step + 1
    if at > len(text):
        shown = text + "0" * (at - len(text))
    elif at == len(text):
        shown = text
    elif at > 0:
        shown = f"{text[:at]}.{text[at:]}"
    else:
        shown = "0." + "0" * -at + _parts(size, max(0, digits + at - 1) or None)[0]
    return shown, _PREFIXES[8 + step // 3]


def _trimmed(text: str) -> str:
    """Without zeros at the end of what follows the point, and without a point that nothing follows."""
    found = re.fullmatch(r"(\d+)(?:\.(\d*?)0*)?(e.*)?", text)
    if found is None:
        return text
    whole, rest, power = found.groups()
    return f"{whole}{f'.{rest}' if rest else ''}{power or ''}"
