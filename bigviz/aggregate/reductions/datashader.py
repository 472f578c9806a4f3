"""datashader's reduction objects (`ds.mean("fare")`) as bigviz's, without importing datashader."""

from __future__ import annotations

from typing import Any, Final

from bigviz.aggregate.reductions.api import any, by, count, first, last, max, mean, min, sum
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput

__all__ = ["is_passed_on", "reduction_of"]

_SAME: Final[dict[str, Any]] = {
    "count": count, "any": any, "sum": sum, "mean": mean, "min": min, "max": max, "first": first, "last": last,
}  # fmt: skip
_LONGEST: Final = 200


def reduction_of(agg: object) -> Reduction:
    """The reduction that a text ("mean(fare)"), an object of bigviz's or one of datashader's names.

    Raises BadInput for other objects and for those of datashader's that bigviz does not offer: `var`, `std`, `mode`,
    `where`, `summary`, the `_n` ones, categories that are computed (`category_binning`), row indices as a column, and
    `self_intersect=False`.
    """
    if isinstance(agg, str):
        return parse(agg)
    if isinstance(agg, Reduction):
        return agg
    if type(agg).__module__ == "datashader.reductions":
        found = _translated(agg)
        if found is not None:
            return found
        raise BadInput(
            f"bigviz offers datashader's {', '.join(_SAME)}, by and count_cat, over whole columns; got {_shown(agg)}.",
            "agg",
            _shown(agg),
        )
    raise BadInput(
        f'agg is a reduction, such as "count" or bigviz.mean("fare"); got {_shown(agg)}.', "agg", _shown(agg)
    )


def is_passed_on(agg: object) -> bool:
    """Whether an object is a reduction of datashader's that only datashader can compute."""
    return type(agg).__module__ == "datashader.reductions" and _translated(agg) is None


def _translated(agg: Any) -> Reduction | None:
    """None for a reduction that is not offered."""
    name = type(agg).__name__
    if name in ("by", "count_cat"):
        inner, categories = _translated(agg.reduction), agg.categorizer
        if inner is None or type(categories).__name__ != "category_codes" or not isinstance(categories.column, str):
            return None
        return by(categories.column, inner)
    if name not in _SAME or not getattr(agg, "self_intersect", True):
        return None
    if agg.column is None:
        return None if name not in ("count", "any") else _SAME[name]()
    return _SAME[name](agg.column) if isinstance(agg.column, str) else None


def _shown(agg: object) -> str:
    return echoed(agg, _LONGEST)
