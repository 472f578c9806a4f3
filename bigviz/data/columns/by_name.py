"""The columns of a table by name: their places, what is known of them, and what is said of names that are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pyarrow as pa

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint, listing
from bigviz.common.errors import NotFound, Unplottable
from bigviz.common.printable import encodable
from bigviz.data.columns.column import ColumnInfo, Unusable, as_labels, label_text, own_name
from bigviz.data.columns.kinds import describe, storage_type

__all__ = ["ColumnsByName"]


class ColumnsByName:
    """The columns of the table `name`: `infos` in their order, `unusable` those that cannot be read, by place, and
    `repeated` the names that several columns have.

    A column of integers or booleans is a category too, under the name `as_labels(name)`: its place is then that of the
    column itself plus the number of all columns. A column whose own name is that of another one's labels cannot be told
    from them.
    """

    def __init__(self, name: str, schema: pa.Schema, unusable: Mapping[int, Unusable]) -> None:
        self._name = name
        self._schema = schema
        self.unusable = {**_named_as_labels(schema.names), **unusable}
        self.infos = [describe(field, self.unusable.get(at)) for at, field in enumerate(schema)]
        self.repeated = {each for each, times in Counter(schema.names).items() if times > 1}

    def info(self, index: int) -> ColumnInfo:
        """What is known of a column, or of one as labels."""
        own = self.infos[self.own(index)]
        if index < len(self.infos):
            return own
        return ColumnInfo(as_labels(own.name), pa.dictionary(pa.int32(), storage_type(own.type)), "category", None)

    def own(self, index: int) -> int:
        """The place in the table of a column, or of one as labels."""
        return index % len(self.infos)

    def plottable(self, name: str) -> int:
        """The place of a column that can be plotted. Raises NotFound (with the nearest name) or Unplottable (with those
        that can be plotted)."""
        index = self._position(name)
        info = self.infos[index]
        if not info.plottable:
            raise self._cannot(index)
        if name != as_labels(info.name) or info.kind == "category":
            return index
        if not info.is_labelled:
            raise Unplottable(f"Column {echoed(info.name)} of {self._name!r} holds {info.holds}, not labels.", got=name)
        return index + len(self.infos)

    def readable(self, name: str) -> int:
        """The place of a column that can be read. Raises what `plottable` does."""
        index = self._position(name)
        if not self.infos[index].readable:
            raise self._cannot(index)
        return index

    def _position(self, name: str) -> int:
        """Where the table's own column of that name is, also for its name as labels."""
        name = label_text(name)
        is_utf8 = encodable(name) == name  # Arrow asks for no other names
        if is_utf8 and self._schema.get_field_index(own_name(name)) >= 0:
            name = own_name(name)
        if name in self.repeated:
            raise Unplottable(f"{self._name!r} has several columns named {echoed(name)}: rename all but one.", got=name)
        index: int = self._schema.get_field_index(name) if is_utf8 else -1
        if index >= 0:
            return index
        names = [info.name for info in self.infos]
        more = hint(name, names, f"It has {listing(names) or 'no columns'}.")
        raise NotFound(f"{self._name!r} has no column {echoed(name)}.{more}", got=name)

    def _cannot(self, index: int) -> Unplottable:
        info = self.infos[index]
        usable = [each.name for each in self.infos if each.plottable and each.name not in self.repeated]
        return Unplottable(
            f"Column {echoed(info.name)} of {self._name!r} {info.reason}. "
            f"These can be plotted: {listing(usable) or 'none'}.",
            got=info.name,
        )


def _named_as_labels(names: Sequence[str]) -> dict[int, Unusable]:
    """The columns whose names are those of other columns as labels, by position."""
    known = set(names)
    reason = "has a name by which bigviz calls the labels of another column: rename it"
    return {at: Unusable(reason) for at, name in enumerate(names) if own_name(name) != name and own_name(name) in known}
