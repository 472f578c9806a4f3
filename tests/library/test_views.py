"""Permalinks."""

from __future__ import annotations

import re

import pytest

from bigviz.common.errors import TooLarge
from bigviz.library import views

DAY = 86_400.0


def test_an_id_leads_to_its_view(library):
    first = library.views.put("a", "x0=1&x1=2")
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", first) and library.views.get("a", first) == "x0=1&x1=2"
    assert library.views.put("a", "x0=1&x1=2") == first
    others = {library.views.put("a", ""), library.views.put("b", "x0=1&x1=2"), library.views.put("a", "é\ud800")}
    assert len(others | {first}) == 4
    assert library.views.get("b", first) is None and library.views.get("a", "x" * 22) is None
    assert library.views.get("\ud800", first) is None and library.views.get("a", "\ud800") is None


def test_views_are_short(library):
    assert library.views.get("a", library.views.put("a", "é" * 4_096)) == "é" * 4_096
    with pytest.raises(TooLarge) as error:
        library.views.put("a", "é" * 4_097)
    assert error.value.got == 8_194


def test_those_go_that_nobody_opens(library, clock, monkeypatch):
    monkeypatch.setattr(views, "MOST", 3)
    ids = []
    for number in range(3):
        clock.now += DAY
        ids.append(library.views.put("a", f"n={number}"))
    other = library.views.put("b", "n=0")
    clock.now += DAY
    assert library.views.get("a", ids[0]) == "n=0"  # opened now
    ids.append(library.views.put("a", "n=3"))
    assert [library.views.get("a", id) for id in ids] == ["n=0", None, "n=2", "n=3"]
    assert library.views.get("b", other) == "n=0"


def test_nobody_pushes_out_the_views_of_others(library, monkeypatch):
    monkeypatch.setattr(views, "MOST", 2)
    kept = [library.views.put("a", "mine", maker) for maker in ("ada", None)]
    for number in range(5):
        library.views.put("a", f"n={number}", "bob")
    assert len(set(kept)) == 2 and [library.views.get("a", id) for id in kept] == ["mine", "mine"]


def test_a_clock_that_goes_back_loses_no_new_view(library, clock, monkeypatch):
    monkeypatch.setattr(views, "MOST", 2)
    for number in range(2):
        library.views.put("a", f"n={number}")
    clock.now -= 10 * DAY
    assert library.views.get("a", library.views.put("a", "new")) == "new"
