"""What can be said of a table before a server listens: whether it has the columns that the command line names."""

from __future__ import annotations

import os
from collections.abc import Sequence

from bigviz.common.errors import Unplottable
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open_files

__all__ = ["check_columns"]


def check_columns(named: Sequence[tuple[str, str]], columns: Sequence[str], options: CsvOptions) -> None:
    """Check that each table of the (name, path) that is one file has these columns, and that they can be plotted.

    Of Parquet and Arrow files the footer is read, of CSV files the first rows. Files that are one table are not looked
    at: a column may be in any of them. Raises what opening the file does, NotFound and Unplottable.
    """
    for name, path in named:
        if os.path.isfile(path):
            dataset = open_files(path, name, options, sample=True)
            for column in columns:
                try:
                    dataset.info(column)
                except Unplottable:
                    if dataset.estimated_rows is None:  # the rows of a sample may hold no value of it
                        raise
