"""The cells that a segment between two cells inks, within a window, at a cost that depends on the window alone.

Bresenham's algorithm steps along the longer axis and rounds the other; its error term says in closed form where it is
after k steps, so a segment of any length is entered where the window begins. Of two equally near cells a segment that
runs towards higher numbers (of its longer axis) takes the one further along the shorter axis, and one that runs
towards lower numbers the other, as datashader's loop does; so both directions ink the same cells.
"""

from typing import Any

import numpy.typing as npt

from bigviz.common.jit import jit

Array = npt.NDArray[Any]


@jit
def mark_segment(x0: int, y0: int, x1: int, y1: int, left: int, bottom: int, plane: Array) -> None:
    """Set to 1 the cells of `plane` that the segment from cell (x0, y0) to cell (x1, y1) inks, both ends included.

    `plane` is uint8 of shape (rows, columns), row 0 the lowest; its first cell is (left, bottom). Cells are int64 and
    may lie anywhere up to 2^33 apart. The cost is O(rows + columns).
    """
    height, width = plane.shape
    steep = abs(y1 - y0) > abs(x1 - x0)
    if steep:
        x0, y0, x1, y1 = y0, x0, y1, x1
        left, bottom, width, height = bottom, left, height, width
    _mark(x0, y0, x1, y1, left, bottom, width, height, steep, plane)


@jit
def mark_path(columns: Array, rows: Array, joined: Array, left: int, bottom: int, plane: Array) -> None:
    """Ink a path over int64 cells: the segment from each vertex to the next where `joined[k]`, else vertex k alone.

    `columns`, `rows` and `joined` (bool) have one entry a vertex; the last vertex joins nothing, whatever its entry
    says.
    """
    last = columns.size - 1
    for k in range(columns.size):
        following = k + 1 if k < last and joined[k] else k
        mark_segment(columns[k], rows[k], columns[following], rows[following], left, bottom, plane)


@jit
def _mark(
    a0: int, b0: int, a1: int, b1: int, a_low: int, b_low: int, a_size: int, b_size: int, steep: bool, plane: Array
) -> None:
    """`mark_segment` with the longer axis first: after k steps of it, `(2 short k + tie) // (2 long)` of the other."""
    long, short = abs(a1 - a0), abs(b1 - b0)
    a_step = 1 if a1 > a0 else -1
    b_step = 1 if b1 > b0 else -1
    tie = long if a1 > a0 else long - 1
    first, last = _steps_within(a0, a_step, long, a_low, a_size)
    if short == 0:
        if not b_low <= b0 < b_low + b_size:
            return
    else:
        low, high = _steps_within(b0, b_step, short, b_low, b_size)
        if low > high:
            return
        if low > 0:
            first = max(first, _first_at(low, long, short, tie))
        if high < short:
            last = min(last, _first_at(high + 1, long, short, tie) - 1)
    if first > last:
        return
    whole, rest = _multiply_divide(short, first, max(long, 1))
    error = 2 * rest + tie  # of the closed form, the part that a step of the shorter axis has not used up
    b = whole
    while error >= 2 * long and long > 0:
        error -= 2 * long
        b += 1
    for k in range(first, last + 1):
        along, across = a0 + a_step * k - a_low, b0 + b_step * b - b_low
        if steep:
            plane[along, across] = 1
        else:
            plane[across, along] = 1
        error += 2 * short
        if error >= 2 * long:
            error -= 2 * long
            b += 1


@jit
def _steps_within(origin: int, step: int, most: int, low: int, size: int) -> tuple[int, int]:
    """First and last k of 0 .. most for which `low <= origin + step * k < low + size`; first > last for none."""
    if step > 0:
        return max(0, low - origin), min(most, low + size - 1 - origin)
    return max(0, origin - low - size + 1), min(most, origin - low)


@jit
def _first_at(across: int, long: int, short: int, tie: int) -> int:
    """The first k with `(2 short k + tie) // (2 long) >= across`: `(2 long across - tie) / (2 short)`, rounded up."""
    whole, rest = _multiply_divide(long, across, short)
    return whole - (tie - 2 * rest) // (2 * short)


@jit
def _multiply_divide(a: int, b: int, c: int) -> tuple[int, int]:
    """Quotient and remainder of `a * b` by `c`, for a, b up to 2^34 and c > 0 up to 2^34, where the product does not
    fit.

    The quotient must fit int64. `b` is taken in two parts, so that no intermediate number passes 2^56.
    """
    high, low = b >> 20, b & 0xFFFFF
    whole, rest = (a * high) // c, (a * high) % c
    tail = (rest << 20) + a * low
    return (whole << 20) + tail // c, tail % c
