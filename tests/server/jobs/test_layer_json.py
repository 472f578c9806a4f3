"""A `layer` answer: what it says of a plane's cells."""

from __future__ import annotations

from . import golden_traits as golden


def test_the_golden_traits_are_what_the_code_sends():
    assert golden.FILE.read_text() == golden.text()


def test_values_are_told_as_what_their_column_holds():
    traits = golden.traits()
    kinds = {agg: traits[agg]["value"]["kind"] for agg in ("count", "any", "sum(n)", "sum(v)", "mean(n)", "max(cost)")}
    assert kinds == {
        "count": "integer",
        "any": "bool",
        "sum(n)": "integer",
        "sum(v)": "float",
        "mean(n)": "float",
        "max(cost)": "decimal",
    }
    stamp = {"kind": "timestamp", "type": "timestamp[s, tz=Europe/Paris]", "unit": "s", "zone": "Europe/Paris"}
    assert traits["min(t)"]["value"] == traits["by(k, max(t))"]["value"] == stamp
    assert [traits[agg]["value"]["unit"] for agg in ("max(day)", "first(clock)", "last(took)")] == ["D", "us", "ms"]
