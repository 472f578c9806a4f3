"""docs/library.md, "Backup": a copy that is made while the library changes is whole."""

from __future__ import annotations

import shutil
import sqlite3

from bigviz.library.access import OPERATOR
from bigviz.library.library import Library


def replaced(library: Library, number: int) -> None:
    with library.datasets.begin() as upload:
        upload.write(b"%d" % number)
        library.datasets.add("a", upload, rows=number, columns=[], format="arrow", owner="ann")
    library.documents.put("d", {"number": number}, title="", datasets=("a",), author="ann")


def test_a_backup_of_a_library_in_use(library, tmp_path):
    replaced(library, 1)
    backup = tmp_path / "backup"
    shutil.copytree(library.directory / "files", backup / "files")
    replaced(library, 2)
    library.datasets.collect()
    source, target = (sqlite3.connect(each / "library.sqlite") for each in (library.directory, backup))
    source.backup(target)
    for connection in (source, target):
        connection.close()
    replaced(library, 3)
    shutil.copytree(library.directory / "files", backup / "files", dirs_exist_ok=True)
    with Library.open(backup, serve=True) as restored:
        assert restored.documents.get("d").value == {"number": 2}
        entry = restored.datasets.entry("a")
        assert entry.rows == 2 and restored.datasets.page(OPERATOR)[0] == [entry]
