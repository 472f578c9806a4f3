"""What the processes of a server count for each other."""

from __future__ import annotations

from bigviz.server.processes.merged_metrics import merged
from bigviz.server.processes.shared_counts import SharedCounts


def test_each_has_its_own_numbers_and_knows_those_of_the_others():
    counts = SharedCounts(3)
    here, there = counts.slot("10.0.0.1"), counts.slot("2001:db8::")
    for number, connections in enumerate((3, 1, 2)):
        counts.has(number, connections, viewers=connections * 10)
        counts.has_at(number, {here: connections})
    counts.took(2, there)
    assert [counts.others(number) for number in range(3)] == [4, 6, 4]
    assert [counts.others_at(number, here) for number in range(3)] == [3, 5, 4]
    assert [counts.others_at(number, there) for number in range(3)] == [1, 1, 0]
    assert counts.viewers == 60
    counts.forget(0)
    assert (counts.others(1), counts.others_at(1, here), counts.viewers) == (3, 2, 30)


def test_only_those_that_take_connections_are_waited_for():
    counts = SharedCounts(3)
    counts.has(0, 2, 0)
    assert not counts.is_ahead(0)
    counts.accepts(1)
    assert counts.is_ahead(0) and not counts.is_ahead(1)
    counts.has(1, 2, 0)
    assert not counts.is_ahead(0)


def test_versions_are_counted():
    counts = SharedCounts(2)
    assert (counts.told, counts.tell(), counts.tell(), counts.told) == (0, 1, 2, 2)


def test_metrics_of_several_have_a_label_each():
    one = b'# HELP a_total Things\n# TYPE a_total counter\na_total{kind="x"} 1.0\n# HELP b Now\n# TYPE b gauge\nb 2.0\n'
    text = merged({1: one.replace(b"2.0", b"5.0"), 0: one}).decode()
    assert text.splitlines() == [
        "# HELP a_total Things",
        "# TYPE a_total counter",
        'a_total{kind="x",process="0"} 1.0',
        'a_total{kind="x",process="1"} 1.0',
        "# HELP b Now",
        "# TYPE b gauge",
        'b{process="0"} 2.0',
        'b{process="1"} 5.0',
    ]
