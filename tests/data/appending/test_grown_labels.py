"""Labels keep their places, whenever they are looked at."""

from __future__ import annotations

import pyarrow as pa
import pytest

from bigviz.common.errors import Unplottable
from bigviz.data.columns import categories

from ...growing import Growing


def table(*labels: str | None) -> pa.Table:
    return pa.table({"kind": pa.array(labels, pa.string())})


def test_each_appends_labels_are_sorted_and_go_after_those_before() -> None:
    growing, seen = Growing(table("m", "b", None)), []
    for more in (("z", "a", "b"), (None,), ("c", "z", "0")):
        seen.append(growing.version())
        growing.append(table(*more))
    last = growing.version()
    assert last.labels("kind") == ("b", "m", "a", "z", "0", "c")
    assert [each.labels("kind") for each in seen] == [("b", "m"), ("b", "m", "a", "z"), ("b", "m", "a", "z")]
    assert last.column("kind").values.tolist() == [1, 0, 0, 3, 2, 0, 0, 5, 3, 4]
    [(_, [column])] = last.read_rows(["kind"], 6, 10)
    assert column.values.tolist() == [0, 5, 3, 4] and column.categories == last.labels("kind")
    assert last.take(column.values[:0], ["kind"]).num_rows == 0 and last.arrow(["kind"]).num_rows == 10


def test_labels_of_rows_that_are_gone_keep_their_places_and_those_of_corrections_go_last() -> None:
    growing = Growing(table("b", "a"))
    held = growing.version()
    assert held.labels("kind") == ("a", "b")
    growing.correct([0], table("0")).append(table("c"))
    assert growing.version().labels("kind") == ("a", "b", "c", "0")
    assert growing.roll(2).version().labels("kind") == ("a", "b", "c", "0")
    assert held.labels("kind") == ("a", "b")


def test_too_many_labels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MOST_CATEGORIES", 3)
    growing = Growing(table("a", "b"))
    first = growing.version()
    assert first.labels("kind") == ("a", "b")
    with pytest.raises(Unplottable, match="more than 3"):
        growing.append(table("c", "d")).version().labels("kind")
