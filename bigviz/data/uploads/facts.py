"""What is known of an uploaded table once its file has been read from end to end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

__all__ = ["FORMATS", "BodyFormat", "Format", "TableFacts"]

Format = Literal["arrows", "parquet"]
BodyFormat = Literal["arrows", "ndjson", "csv"]
"""What rows that are to be appended come in."""
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


@dataclass(frozen=True)
class TableFacts:
    """Rows, and columns as (name, Arrow type). `format` is the file's ending: "arrows" is an IPC stream."""

    format: Format
    rows: int
    columns: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """As the checking process writes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TableFacts:
        """The facts that `to_json` wrote."""
        columns = tuple((str(name), str(kind)) for name, kind in value["columns"])
        return cls(value["format"], int(value["rows"]), columns)
