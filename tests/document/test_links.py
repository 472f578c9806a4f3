"""Links between figures: from `bigviz.link` to JSON and back, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput
from bigviz.document.document import as_document
from bigviz.document.json import from_json
from bigviz.document.spec import LinkSpec

TABLE = {"a": [1.0, 2.0], "b": [2.0, 1.0]}


def figures(count: int) -> list[Any]:
    return [bv.figure(title=str(k)).points(TABLE, "a", "b") for k in range(count)]


def test_figures_that_are_linked_are_in_the_document() -> None:
    a, b, c, d = figures(4)
    bv.link(a, b, c, mode="highlight")
    made = bv.document(bv.row(b, a, d, c))
    assert made.links == (LinkSpec(("f0", "f1", "f3"), "highlight"),)
    assert made.to_json()["links"] == [{"figures": ["f0", "f1", "f3"], "mode": "highlight"}]
    assert from_json(made.to_json()) == made
    assert "links" not in bv.document(c).to_json()  # by itself
    with pytest.raises(BadInput, match="Figure '2' is linked and is not in the layout"):
        bv.document(bv.row(b, a, d))


def test_numbers_of_a_link() -> None:
    a, b = figures(2)
    count, mean = bv.number("count", "count()", TABLE), bv.number("mean", "mean(a)", TABLE)
    bv.link(a, count, b, mean)
    made = bv.document(bv.row(b, a, mean, count))
    assert made.links == (LinkSpec(("f0", "f1"), "filter", ("count", "mean")),)
    assert from_json(made.to_json()) == made
    with pytest.raises(BadInput, match="Number 'mean' is linked and is not in the layout"):
        bv.document(bv.row(b, a, count))
    with pytest.raises(BadInput, match="figures and numbers, got slider"):
        bv.link(*figures(2), bv.slider("s", 0, 1))
    value = made.to_json()
    for numbers in (["nope"], ["mean", "mean"]):
        links = [{"figures": ["f0", "f1"], "numbers": numbers}]
        with pytest.raises(BadInput) as caught:
            from_json({**value, "links": links})
        assert caught.value.field == "links[0].numbers"
    stamps = {"a": [1.0], "b": [2.0], "at": np.array(["2024-01-01"], "datetime64[s]")}
    a, b = (bv.figure().points(stamps, "a", "b") for _ in range(2))
    last = bv.number("last", "max(at)", stamps)
    assert linked(a, b, last).links[0].numbers == ("last",)


def linked(*things: Any) -> bv.Document:
    bv.link(*things)
    return bv.document(bv.row(*things))


def test_figures_of_a_link_show_one_table() -> None:
    """A figure that no brush of another one reaches would do nothing, and nobody would know why."""
    other = {"a": [1.0], "b": [2.0]}
    own, (a, b) = bv.figure(title="Own").points(other, "a", "b"), figures(2)
    with pytest.raises(BadInput, match=r"Figure 'f2' \(Own\) is linked and shows 'table-2'.*opened once") as error:
        linked(a, b, own)
    assert (error.value.field, error.value.got) == ("links[0].figures", "f2")
    with pytest.raises(BadInput, match="shows no table"):
        linked(*figures(2), bv.figure())
    under = bv.figure().points(other, "a", "b").points(TABLE, "a", "b")
    assert linked(*figures(2), under).links, "its second layer shows the rows"
    alone = bv.figure().points(TABLE, "a", "b")
    assert linked(bv.figure().points(other, "a", "b").points(TABLE, "a", "b"), alone).links
    dataset, table = bv.open(TABLE), bv.number("n", "count()", other)
    pair = [bv.figure().points(each, "a", "b") for each in (dataset, other)]
    with pytest.raises(BadInput, match="Figure 'f0'"):
        linked(*pair)
    with pytest.raises(BadInput, match="Number 'n' is linked and is of 'table-2', whose rows no figure"):
        linked(*figures(2), table)


def test_what_is_no_link_is_refused() -> None:
    a, b = figures(2)
    for wrong in ((), (a,), (a, a), (a, "b")):
        with pytest.raises(BadInput):
            bv.link(*wrong)
    with pytest.raises(BadInput, match="mode is one of filter, highlight"):
        bv.link(a, b, mode="both")  # type: ignore[arg-type]
    bv.link(a, b)
    with pytest.raises(BadInput, match="linked already"):
        bv.link(b, *figures(1))


@pytest.mark.parametrize(
    ("links", "field"),
    [
        ([{"figures": ["f0"]}], "links[0].figures"),
        ([{"figures": ["f0", "f9"]}], "links[0].figures"),
        ([{"figures": ["f0", "f1"]}, {"figures": ["f1", "f2"]}], "links[1].figures"),
        ([{"figures": ["f0", "f1"], "mode": "dim"}], "links[0].mode"),
        ([{}], "links[0].figures"),
        ({}, "links"),
    ],
)
def test_mistakes_are_told_with_their_place(links: Any, field: str) -> None:
    value = bv.document(bv.row(*figures(3))).to_json()
    with pytest.raises(BadInput) as error:
        from_json({**value, "links": links})
    assert error.value.field == field


def test_a_document_lacks_what_comes_after_it() -> None:
    a, b, c = figures(3)
    made = bv.document(bv.row(a, b))
    assert as_document(made) is made
    bv.link(b, c)  # for another document
    assert as_document(made) is made
    d, e = figures(2)
    made = bv.document(bv.row(d, e))
    bv.link(d, e)
    with pytest.raises(BadInput, match="Figures were linked after"):
        as_document(made)
    assert as_document(bv.document(bv.row(d, e))).links
    assert as_document(from_json(made.to_json())).links == ()  # of no figures
    d.line(TABLE, "a", "b")
    with pytest.raises(BadInput, match="Figure '0' was given a layer after"):
        as_document(made)
