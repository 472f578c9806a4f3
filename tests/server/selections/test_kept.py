"""How many selections are kept, and of whom the oldest go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import NotFound
from bigviz.server.jobs.layer_ref import LayerRef
from bigviz.server.selections.kept import Selections
from bigviz.tiles.interface import Lasso, Strip

DATASET = bv.open({"x": [1.0]}, name="d")
REF = LayerRef("d", Layer("points", "x", "x", "count"))
FOUND: Any = SimpleNamespace(count=1, expression=None)
LASSO = Lasso.of([(float(at), float(at % 2)) for at in range(5_000)])


def put(kept: Selections, maker: str, page: str = "", shape: Any = Strip((0, 1))) -> str:  # noqa: B008
    return kept.put(maker, "doc", REF, DATASET, shape, FOUND, page=page)


def there(kept: Selections, id: str, maker: str) -> bool:
    try:
        return kept.find(id, maker, "doc").maker == maker
    except NotFound:
        return False


def test_pages_behind_one_address_drop_no_selection_of_another():
    kept = Selections()
    first = put(kept, "10.0.0.1", "a")
    others = [put(kept, "10.0.0.1", "b") for _ in range(65)]
    assert there(kept, first, "10.0.0.1") and kept.is_of(first, "10.0.0.1") and not kept.is_of(first, "ada")
    assert [there(kept, each, "10.0.0.1") for each in others] == [False] + [True] * 64
    assert not there(kept, first, "10.0.0.2")


@pytest.mark.parametrize(("shape", "most"), [(Strip((0, 1)), 512), (LASSO, (16 << 20) // (2_000 + 120 * 5_000))])
def test_an_address_of_many_pages_has_a_bound_of_its_own(shape: Any, most: int):
    kept = Selections()
    ids = [put(kept, "10.0.0.1", str(page), shape) for page in range(most + 2)]
    assert [there(kept, each, "10.0.0.1") for each in ids] == [False] * 2 + [True] * most
    assert there(kept, put(kept, "10.0.0.2"), "10.0.0.2") and len(kept._of_pages) == most + 1
