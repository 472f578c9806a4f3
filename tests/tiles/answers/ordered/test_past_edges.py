"""The rows past the edges of a square, beside numpy's comparisons."""

import numpy as np
import pytest

from bigviz.common.jit import frozen
from bigviz.tiles.answers.ordered.past_edges import BITS, NO_EDGE, VECTOR, few_past_both, few_past_one, past


@pytest.mark.parametrize("rows", [0, 1, 7, VECTOR - 1, VECTOR, VECTOR + 1, 4 * VECTOR + 3])
def test_rows_past_edges_are_counted_alone(rows: int) -> None:
    """Those after them in the last vector are not, whichever side they lie on."""
    rng = np.random.default_rng(rows)
    keys = frozen(rng.integers(0, 1 << 62, 200).astype(np.uint64))
    at = 11
    x, y = (frozen((keys >> np.uint64(which) & np.uint64(BITS)).astype(np.int64)) for which in (0, 1))
    x_edge, y_edge = np.int64(x[40]), np.int64(y[60])
    right, above = x[at : at + rows] > x_edge, y[at : at + rows] > y_edge
    expected = right.sum(), above.sum(), (right & above).sum()
    assert few_past_both(keys, np.int64(at), np.int64(rows), x_edge, y_edge) == expected
    assert few_past_one(keys, np.int64(at), np.int64(rows), 0, x_edge) == expected[0]
    assert few_past_one(keys, np.int64(at), np.int64(rows), 1, y_edge) == expected[1]
    none = np.int64(-1)
    assert past(keys, at, at + rows, (x_edge, none, y_edge, none)) == expected
    assert past(keys, at, at + rows, (x_edge, none, np.int64(NO_EDGE), none)) == (expected[0], 0, 0)
