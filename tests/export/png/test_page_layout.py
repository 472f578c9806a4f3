"""Where figures lie: equal shares of what those with a size of their own leave."""

from __future__ import annotations

import bigviz as bv
from bigviz.export.png.page_layout import arranged


def test_rows_columns_and_grids() -> None:
    table = {"a": [1.0, 2.0], "b": [3.0, 4.0]}
    one, two, three = (bv.figure(title=name).points(table, "a", "b") for name in ("1", "2", "3"))
    wide = bv.figure(width=300, height=120).points(table, "a", "b")
    made = bv.document(bv.column(bv.row(one, wide), bv.grid(two, three, columns=2)))
    found = list(arranged(made.layout, 0, 40, 801, 401))
    assert [(each.x, each.y, each.width, each.height) for each in found] == [
        (0, 40, 500, 200),
        (501, 40, 300, 120),
        (0, 241, 400, 200),
        (401, 241, 400, 200),
    ]
    assert found[0].row == found[1].row is not None
    assert found[0].row != found[2].row == found[3].row
