"""Records in Avro, whose fields have ids, as those of Iceberg's manifests do.

pyiceberg's reader of them does not look where their bytes end: a length that is too large, or one below 0, has it read
memory of the process, or end that. Here nothing is read beyond them, and nothing takes longer than they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from bigviz.data.table_formats.avro_container import AvroBytes

__all__ = ["Record", "record_reader"]

Record = dict[int, Any]
"""Numbers, texts and records by the ids of their fields; None for what is null, and for what is passed over: lists,
maps, other bytes, and what takes no bytes."""
Take = Callable[[AvroBytes], Any]

_FIXED: Final = {"boolean": 1, "float": 4, "double": 8}


def record_reader(schema: bytes) -> Callable[[int, bytes], Iterator[Record]]:
    """From the number of records of a block and its bytes to the records. It raises ValueError where these are not
    what the schema says, as this does for what is no schema of records."""
    try:
        take = _Types().take(json.loads(schema))
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("no schema of Avro") from None

    def read(count: int, block: bytes) -> Iterator[Record]:
        data = AvroBytes(block)
        for _ in range(count):
            found = None if take is None else take(data)
            if not isinstance(found, dict):
                raise ValueError("what is no record")
            yield found
        if data.left:
            raise ValueError("more bytes than a block of Avro has records")

    return read


class _Types:
    """What reads each type; None for those of no bytes, of which there may be any number at no cost."""

    def __init__(self) -> None:
        self._named: dict[str, Take | None] = {}

    def take(self, schema: Any) -> Take | None:
        """What reads a type. Raises ValueError for those that cannot be."""
        if isinstance(schema, list):
            return self._of_union(schema)
        if isinstance(schema, str):
            return self._of_name(schema)
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.take(kind)
        if kind == "array":
            return self._of_array(schema["items"])
        if kind == "map":
            return _map_of(self.take(schema["values"]))
        if kind not in ("record", "enum", "fixed"):
            return self._of_name(kind)
        made = _long if kind == "enum" else _fixed(schema["size"]) if kind == "fixed" else self._of_record(schema)
        self._named[schema["name"]] = made  # not before: a record in itself has no end
        return made

    def _of_name(self, name: str) -> Take | None:
        if name in _FIXED:
            return _fixed(_FIXED[name])
        if name in _SIMPLE:
            return _SIMPLE[name]
        if name not in self._named:
            raise ValueError("an unknown type of Avro")
        return self._named[name]

    def _of_record(self, schema: Any) -> Take | None:
        fields = [(field.get("field-id"), self.take(field["type"])) for field in schema["fields"]]
        some = [(number, take) for number, take in fields if take is not None]
        return (lambda data: {number: take(data) for number, take in some}) if some else None

    def _of_union(self, schemas: list[Any]) -> Take:
        takes = [self.take(schema) for schema in schemas]

        def of_union(data: AvroBytes) -> Any:
            which = data.long()
            if not 0 <= which < len(takes):
                raise ValueError("a type that is none of a union of Avro")
            take = takes[which]
            return None if take is None else take(data)

        return of_union

    def _of_array(self, items: Any) -> Take:
        take = self.take(items)
        if take is None:
            raise ValueError("a list of what takes no bytes: of any length")
        return _many(take)


def _map_of(take: Take | None) -> Take:
    def pair(data: AvroBytes) -> None:
        data.skip(data.long())
        if take is not None:
            take(data)

    return _many(pair)


def _many(take: Take) -> Take:
    """Any number of values, in blocks, which are passed over."""

    def of_many(data: AvroBytes) -> None:
        while count := data.long():
            if count < 0:
                data.skip(data.long())
                continue
            for _ in range(count):
                take(data)

    return of_many


def _fixed(size: int) -> Take | None:
    if not isinstance(size, int) or size < 0:
        raise ValueError("a size of Avro below 0")
    return (lambda data: data.skip(size)) if size else None


def _long(data: AvroBytes) -> int:
    return data.long()


def _bytes(data: AvroBytes) -> None:
    data.skip(data.long())


def _text(data: AvroBytes) -> str:
    return data.bytes().decode("utf-8")


_SIMPLE: Final[dict[str, Take | None]] = {
    "null": None, "int": _long, "long": _long, "bytes": _bytes, "string": _text,
}  # fmt: skip
