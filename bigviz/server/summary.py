"""`bigviz info`: what a table holds and what would be plotted."""

from __future__ import annotations

from bigviz.data.defaults import choose
from bigviz.data.errors import Unplottable
from bigviz.data.open import open as open_dataset

__all__ = ["summary"]


def summary(path: str) -> str:
    """Rows, columns with their types, and the default choice of columns, as lines of text."""
    dataset = open_dataset(path)
    columns = dataset.columns()
    width = max((len(each.name) for each in columns), default=0)
    rows, count = dataset.num_rows, len(columns)
    lines = [f"{dataset.name}: {rows:,} row{'s' * (rows != 1)}, {count:,} column{'s' * (count != 1)}"]
    for each in columns:
        lines.append(f"  {each.name:<{width}}  {each.type}" + ("" if each.plottable else "  (cannot be plotted)"))
    try:
        choice = choose(dataset)
        lines.append(f"Shown without --x and --y: {choice.glyph} of {choice.x} and {choice.y}.")
    except Unplottable as error:
        lines.append(error.message)
    return "\n".join(lines)
