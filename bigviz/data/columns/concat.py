"""Columns of the parts of a table, joined into one: numbers as they are, categories under one list of labels."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pyarrow.types as pt

from bigviz.data.columns.column import Column
from bigviz.data.columns.kinds import storage_type

__all__ = ["all_labels", "joined", "relabelled"]

_NUMBERS = ((pt.is_integer, int), (pt.is_floating, float), (pt.is_decimal, Decimal), (pt.is_duration, int))
"""Types whose labels do not sort as text does, and how to read one."""


def joined(parts: Sequence[Column]) -> Column:
    """Parts of a column, one after the other; a category has the labels of all."""
    if len(parts) == 1:
        return parts[0]
    if parts[0].categories is not None:
        labels = all_labels(parts)
        parts = [relabelled(part, labels) for part in parts]
    valid = None
    if any(part.valid is not None for part in parts):
        valid = np.concatenate([np.ones(len(part), np.bool_) if part.valid is None else part.valid for part in parts])
    return Column(parts[0].info, np.concatenate([part.values for part in parts]), valid, parts[0].categories)


def all_labels(parts: Sequence[Column]) -> tuple[str, ...]:
    """The labels of any part of a category, in the order of their values, as `Dataset.labels` has them."""
    first = parts[0].categories or ()
    if all(part.categories == first for part in parts):
        return first
    labels = {label for part in parts for label in part.categories or ()}
    type_ = storage_type(parts[0].info.type)
    values = type_.value_type if pt.is_dictionary(type_) else type_
    number = next((number for test, number in _NUMBERS if test(values)), None)
    return tuple(sorted(labels) if number is None else sorted(labels, key=number))


def relabelled(column: Column, labels: tuple[str, ...]) -> Column:
    """A category by other labels; rows without one of them are not valid."""
    own = column.categories or ()
    if own == labels or not len(column):
        return Column(column.info, column.values, column.valid, labels)
    places = {label: place for place, label in enumerate(labels)}
    codes = np.array([places.get(label, -1) for label in own] or [-1], np.int32)[column.values]
    valid = (codes >= 0) if column.valid is None else column.valid & (codes >= 0)
    return Column(column.info, np.where(valid, codes, np.int32(0)), None if valid.all() else valid, labels)
