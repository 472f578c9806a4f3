"""`bigviz json`: the documents of tables, scripts and files of documents, as `bigviz serve` would show them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from bigviz.apps.script import run_script
from bigviz.commands.arguments import named_paths, named_script
from bigviz.common.errors import BadInput
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open_files
from bigviz.document.load import load
from bigviz.document.names import free_name, is_dataset_name
from bigviz.document.spec import Document
from bigviz.server.run.loading import Columns, document_of

__all__ = ["documents_at", "text_of", "write_documents"]


def documents_at(
    arguments: Sequence[str], columns: Columns, options: CsvOptions, on_server: Callable[[str], Document]
) -> list[Document]:
    """One document for each `[NAME=]PATH`: of a script, of a document's JSON (`.json`), or of one figure over a table.

    A word that is no path, of a file or by its looks, is asked of `on_server`. Names that collide get -2, -3. `columns`
    and `options` are for tables.
    """
    found: list[Document] = []
    taken: set[str] = set()
    for argument in arguments:
        is_name = "=" not in argument and is_dataset_name(argument)
        made = on_server(argument) if is_name else _document_at(argument, columns, options)
        made = made.renamed(free_name(made.id, taken))
        taken.add(made.id)
        found.append(made)
    return found


def text_of(made: Document) -> str:
    """A document's JSON as people read it, with a new line at its end."""
    return json.dumps(made.to_json(), indent=2, ensure_ascii=False) + "\n"


def write_documents(documents: Sequence[Document], output: Path | None) -> list[Path]:
    """Write each document to a file: one to `output`, several to NAME.json in the directory `output` or this one."""
    if len(documents) == 1 and output is not None and not output.is_dir():
        paths = [output]
    else:
        directory = output or Path()
        if not directory.is_dir():
            raise BadInput(f"{directory} is no directory; several documents are written into one.", "output")
        paths = [directory / f"{made.id}.json" for made in documents]
    for path, made in zip(paths, documents, strict=True):
        path.write_text(text_of(made), encoding="utf-8")
    return paths


def _document_at(argument: str, columns: Columns, options: CsvOptions) -> Document:
    script = named_script([argument])
    if script is not None:
        name, path = script
        return run_script(path)[0].renamed(name)
    [(name, path)] = named_paths([argument])
    if path.endswith(".json"):
        made = load(Path(path))
        return made if path == argument else made.renamed(name)
    return document_of(open_files(path, name, options), name, columns)
