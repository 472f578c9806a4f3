"""What commands that work on documents take: tables, scripts, files of documents, and names of a plot server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from bigviz.apps.script import run_script
from bigviz.commands.arguments import named_paths, named_script
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, NotFound
from bigviz.data.catalog import Catalog
from bigviz.data.dataset import Dataset
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open_files
from bigviz.document.bind import bind
from bigviz.document.json import from_json
from bigviz.document.load import load
from bigviz.document.names import free_name, is_dataset_name
from bigviz.document.spec import Document
from bigviz.library.access import OPERATOR
from bigviz.library.library import Library
from bigviz.library.storage.directory import DATABASE, default_directory
from bigviz.server.documents.tables import Tables
from bigviz.server.run.loading import Columns, document_of

__all__ = ["documents_at", "drawable_documents_at", "output_paths"]


def documents_at(
    arguments: Sequence[str], columns: Columns, options: CsvOptions, named: Callable[[str], Document]
) -> list[Document]:
    """One document for each `[NAME=]PATH`: of a script, of a document's JSON (`.json`), or of one figure over a table.

    A word that is no path, of a file or by its looks, is asked of `named`. Names that collide get -2, -3. `columns` and
    `options` are for tables.
    """
    found: list[Document] = []
    taken: set[str] = set()
    for argument in arguments:
        is_name = "=" not in argument and is_dataset_name(argument)
        made = named(argument) if is_name else _document_at(argument, columns, options)
        made = made.renamed(free_name(made.id, taken))
        taken.add(made.id)
        found.append(made)
    return found


def drawable_documents_at(
    arguments: Sequence[str], columns: Columns, options: CsvOptions, tables: Sequence[str], library: Path | None
) -> list[Document]:
    """`documents_at`, each bound to its tables. A word that is no path is a document of the library in the directory
    `library` (default: the user's), read without its server, whose owner may see all of it.

    Datasets that a document only names are taken from `tables`, each `NAME=PATH`, else from the library. Raises
    NotFound for one that is in neither.
    """
    given = {name: open_files(path, name, options) for name, path in named_paths(tables)}

    def named(name: str) -> Document:
        with _library(name, library) as opened:
            return from_json(opened.documents.get(name).value).renamed(name)

    return [_bound(made, given, library) for made in documents_at(arguments, columns, options, named)]


def output_paths(documents: Sequence[Document], output: Path | None, suffixes: Sequence[str]) -> list[Path]:
    """Where to write each document: one to `output`, several to NAME and the first suffix in the directory `output` or
    this one. Raises BadInput for an `output` that is no directory, where one is needed, for one in no directory, and
    for one whose name ends as another kind of file does; a name without a suffix is taken as it is."""
    if len(documents) == 1 and output is not None and not output.is_dir():
        if not output.parent.is_dir():
            raise BadInput(f"{output.parent} is no directory: make it, or write the file elsewhere.", "output")
        if output.suffix.lower() not in ("", *suffixes):
            raise BadInput(f"The name of the file ends in {suffixes[0]}, got {echoed(output.name, 60)}.", "output")
        return [output]
    directory = output or Path()
    if not directory.is_dir():
        raise BadInput(f"{directory} is no directory; several documents are written into one.", "output")
    return [directory / f"{made.id}{suffixes[0]}" for made in documents]


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


def _bound(made: Document, given: Mapping[str, Dataset], directory: Path | None) -> Document:
    sources = {name: cast("Dataset", each) for name, each in made.sources.items()}
    sources |= {name: given[name] for name in made.unbound if name in given}
    lacking = [name for name in made.datasets if name not in sources]
    place = directory or default_directory()
    if lacking and not (place / DATABASE).is_file():
        raise _unknown(lacking[0], "there is no library in", place)
    if lacking:
        with Library.open(place) as opened:
            for name in lacking:
                if opened.datasets.find(name) is None:
                    raise _unknown(name, "it is no dataset of the library in", place)
            sources |= Tables(opened, Catalog()).sources(lacking, OPERATOR)[0]
    return bind(made, sources)


def _unknown(name: str, why: str, place: Path) -> NotFound:
    return NotFound(
        f"The document names a dataset {echoed(name)}, and {why} {place}: name its table with --table NAME=PATH.",
        "dataset",
        name,
    )


def _library(name: str, directory: Path | None) -> Library:
    """The library that a name is looked up in; nothing is made where there is none."""
    place = directory or default_directory()
    if not (place / DATABASE).is_file():
        raise NotFound(
            f"There is no file {echoed(name)}, and no library of published documents in {place}: give the path of a "
            "table, of a script or of a document's JSON, or say with --library where the library is.",
            "path",
            name,
        )
    return Library.open(place)
