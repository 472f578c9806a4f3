"""`bigviz json`: documents as JSON, as people read it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bigviz.commands.document_inputs import output_paths
from bigviz.common.disk.atomic_file import written_aside
from bigviz.document.spec import Document

__all__ = ["text_of", "write_documents"]


def text_of(made: Document) -> str:
    """A document's JSON as people read it, with a new line at its end."""
    return json.dumps(made.to_json(), indent=2, ensure_ascii=False) + "\n"


def write_documents(documents: Sequence[Document], output: Path | None) -> list[Path]:
    """Write each document to a file of its own, see `output_paths`: where they are."""
    paths = output_paths(documents, output, (".json",))
    for path, made in zip(paths, documents, strict=True):
        with written_aside(path) as file:
            file.write(text_of(made).encode())
    return paths
