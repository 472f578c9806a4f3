"""What a caller may use of a document's datasets: everything, or only what the document itself shows of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from bigviz.common.errors import BadInput, Forbidden, NotFound, Unplottable

__all__ = ["EVERYTHING", "Usage"]

_NOT_LIKE_THAT: Final = "This column cannot be used like that."


@dataclass(frozen=True)
class Usage:
    """`columns` has the datasets that the caller has no role on, each with the columns that the document names of it;
    `rowless` those of them whose single rows the caller may not read."""

    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rowless: frozenset[str] = frozenset()

    @staticmethod
    def least(of: Iterable[Usage]) -> Usage:
        """What all of several callers may use."""
        columns: dict[str, frozenset[str]] = {}
        rowless: frozenset[str] = frozenset()
        for each in of:
            rowless |= each.rowless
            for dataset, names in each.columns.items():
                columns[dataset] = columns.get(dataset, names) & names
        return Usage(columns, rowless)

    def check(self, dataset: str, columns: Iterable[tuple[str, str]]) -> None:
        """Raise Forbidden for a column that the document does not name, given as (option, column). Whether the dataset
        has such a column is not told."""
        allowed = self.columns.get(dataset)
        if allowed is None:
            return
        for option, column in columns:
            if column not in allowed:
                raise Forbidden(
                    f"{option} names a column that this document does not show; it shows "
                    f"{', '.join(sorted(allowed))}. Ask the owner of dataset {dataset!r} for access.",
                    option,
                    column,
                )

    @contextmanager
    def discretion(self, dataset: str) -> Iterator[None]:
        """Errors about a column of a dataset, which name others in its stead, name none that the caller may not use."""
        try:
            yield
        except (NotFound, Unplottable) as error:
            if dataset not in self.columns:
                raise
            raise type(error)(_NOT_LIKE_THAT, error.field, error.got) from error
        except BadInput as error:  # of a filter, which says where in it the column stands
            if dataset not in self.columns or not isinstance(error.__cause__, NotFound | Unplottable):
                raise
            raise BadInput(_NOT_LIKE_THAT, error.field, error.got, error.at) from error

    def within(self, dataset: str, columns: Iterable[str]) -> list[str]:
        """Those of the columns that the caller may use, in their order."""
        allowed = self.columns.get(dataset)
        return [name for name in columns if allowed is None or name in allowed]

    def has_rows(self, dataset: str) -> bool:
        """Whether the caller may read single rows of the dataset."""
        return dataset not in self.rowless

    def check_rows(self, dataset: str) -> None:
        """Raise Forbidden where `has_rows` is False."""
        if not self.has_rows(dataset):
            raise Forbidden(
                f"This document does not give out single rows: ask the owner of dataset {dataset!r} for access.",
                "dataset",
                dataset,
            )


EVERYTHING: Final = Usage()
