"""The names nearest to one that does not exist, and lists of names, for error messages."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from bigviz.common.bounded_repr import echoed

__all__ = ["MOST_LISTED", "hint", "listing", "near", "nearest"]

MOST_LISTED = 20
_MOST_NAMES = 300
_MOST_PAIRS = 40_000  # of letters that may have to be compared, about a millisecond: a server answers on its loop


def hint(name: str, names: Sequence[str], otherwise: str = "") -> str:
    """The end of an error message about an unknown name, with a space before it: the nearest name, else `otherwise`."""
    guess = nearest(name, names)
    words = otherwise if guess is None else f"Did you mean {guess!r}?"
    return f" {words}" if words else ""


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The name most like `name` or the shortest that contains it, capitals and punctuation aside; None if none is
    close, and none is looked for among very many or very long ones."""
    found = near(name, names, 1)
    return found[0] if found else None


def near(name: str, names: Sequence[str], most: int) -> list[str]:
    """The names most like `name`, at most `most`, the nearest first; found as `nearest` finds one.

    Of names that are equally near those stand first that do so in `names`.
    """
    if len(names) > _MOST_NAMES or len(name) * sum(map(len, names)) > _MOST_PAIRS:
        return []
    folded: dict[str, str] = {}
    for candidate in names:
        folded.setdefault(_fold(candidate), candidate)
    wanted = _fold(name)
    close = difflib.get_close_matches(wanted, list(folded), n=len(folded) or 1, cutoff=0.6)
    place = {each: number for number, each in enumerate(folded)}
    close.sort(key=lambda each: (-difflib.SequenceMatcher(None, each, wanted).ratio(), place[each]))
    if not close and len(wanted) > 1:
        close = sorted((each for each in folded if wanted in each), key=len)
    return [folded[each] for each in close[:most]]


def listing(names: Sequence[str]) -> str:
    """The names as part of a sentence, at most 20 of them, long ones cut."""
    shown = ", ".join(map(echoed, names[:MOST_LISTED]))
    more = len(names) - MOST_LISTED
    return f"{shown} and {more:,} more" if more > 0 else shown


def _fold(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum()) or name
