"""A survey (extents, roots, far rows) as JSON of a manifest, and back."""

from __future__ import annotations

from typing import Any

from bigviz.aggregate.dyadic_cells import Root
from bigviz.tiles.grid.survey import Survey

__all__ = ["survey_facts", "survey_of"]


def survey_of(facts: dict[str, Any]) -> Survey:
    """A survey back from JSON."""
    low, high = (None if each is None else (each[0], each[1]) for each in (facts["low"], facts["high"]))
    x, y = Root(*facts["x"]), Root(*facts["y"])
    return Survey(x, y, facts["rows"], facts["inside"], facts["outside"], facts["far"], low, high)


def survey_facts(survey: Survey) -> dict[str, Any]:
    """A survey as JSON."""
    return {
        "x": [survey.x.multiple, survey.x.exponent],
        "y": [survey.y.multiple, survey.y.exponent],
        "rows": survey.rows,
        "inside": survey.inside,
        "outside": survey.outside,
        "far": survey.far,
        "low": survey.low,
        "high": survey.high,
    }
