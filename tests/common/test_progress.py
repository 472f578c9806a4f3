"""Rows of several threads add up, and no two reports overlap."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bigviz.common.progress import RowMeter


def test_rows_of_threads_add_up() -> None:
    told: list[tuple[str, float, int]] = []
    meter = RowMeter("reading x", 1000, lambda *report: told.append(report))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(meter.add, [10] * 100))
    assert [rows for _, _, rows in told] == list(range(10, 1001, 10))
    assert [done for _, done, _ in told] == [rows / 1000 for rows in range(10, 1001, 10)]
    assert {stage for stage, _, _ in told} == {"reading x"}


def test_more_rows_than_expected_are_all_of_them() -> None:
    told: list[tuple[str, float, int]] = []
    for total in (0, 5):
        RowMeter("a", total, lambda *report: told.append(report)).add(7)
    assert told == [("a", 1.0, 7)] * 2
