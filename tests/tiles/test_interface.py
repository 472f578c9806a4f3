"""Engines take what their interface says, in the same words and with the same defaults."""

from __future__ import annotations

import inspect

import pytest

from bigviz.tiles import interface
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.engine import Engine

ASKED = [name for name, found in vars(interface.Engine).items() if inspect.isfunction(found) and name[0] != "_"]


@pytest.mark.parametrize("engine", [Engine, DaskEngine])
def test_its_methods_are_those_of_the_interface(engine: type[interface.Engine]) -> None:
    assert len(ASKED) > 25
    for name in ASKED:
        found, expected = (inspect.signature(getattr(each, name)) for each in (engine, interface.Engine))
        assert [*found.parameters] == [*expected.parameters], name
        assert [each.default for each in found.parameters.values()] == [
            each.default for each in expected.parameters.values()
        ], name


@pytest.mark.parametrize("name", ASKED)
def test_no_method_is_left_to_the_interface(name: str) -> None:
    assert getattr(Engine, name) is not getattr(interface.Engine, name)
