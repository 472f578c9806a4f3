"""Where whole lines of a text end, whatever its quoted cells hold."""

import csv
import io

import numpy as np
import pytest

from bigviz.data.formats.delimited.whole_lines import Lines


def test_whole_lines_end_where_no_quoted_cell_is_open():
    lines = Lines()
    for text, whole in (
        (b"a,b\nc", 4),
        (b'a,"b\nc', 0),
        (b'a,"b\nc"\nd', 8),
        (b'a,"b""\nc', 0),
        (b'x\na,""\n', 7),
        (b'a,5" pipe\nb', 10),  # a quote within a cell opens none
        (b'"a","b\n', 0),
        (b'x\n1,"say,""hi""\nthere', 2),
        (b"", 0),
    ):
        assert lines.end(text) == whole, text
    assert list(lines.starts(b'a\n\n"b\nc"\n\r\nd\n')) == [0, 3, 11]
    assert Lines(",", "", "").end(b'a,"b\nc') == 5
    assert Lines(",", '"', "\\").end(b'a,"b\\"\nc"\nd') == 10
    assert [lines.first(text) for text in (b"a\nb", b'"a\nb"\nc', b'"a\nb\n', b"a")] == [2, 6, 0, 0]


@pytest.mark.parametrize("seed", range(20))
def test_lines_are_those_of_pythons_reader(seed: int):
    generator = np.random.default_rng(seed)
    words = ["", "a", 'a"b', "a\nb", "a,b", '""', '"', "\n", ' "x"', '5" pipe']
    rows = [[words[at] for at in generator.integers(0, len(words), 3)] for _ in range(20)]
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    ends = []
    for row in rows:
        writer.writerow(row)
        ends.append(len(sink.getvalue()))
    text = sink.getvalue().encode()
    lines = Lines()
    assert list(lines.starts(text)) == [0, *ends[:-1]]
    for size in range(
        len(text) + 1
    ):  # one that is cut within `""` may be taken for closed, and has no line end after it
        assert lines.end(text[:size]) == max([end for end in ends if end <= size], default=0)
