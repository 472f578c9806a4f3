"""Publishers that are killed at random moments, and whether all they were told is kept is there afterwards.

`python -m bench.kills DIRECTORY NAME START` is one publisher: it publishes until it is killed, and prints a line of
JSON for each change that was acknowledged.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from bigviz.library.access import OPERATOR
from bigviz.library.library import Library

__all__ = ["Lost", "kill_rounds"]

ROOT: Final = Path(__file__).parent.parent
_EVERY: Final = 10**9  # versions: all are kept
_MOST_PUBLISHED: Final = 12  # acknowledged changes of a publisher, after which its round ends at the latest
_LATEST: Final = 0.02  # seconds after that, or after the start


class Lost(Exception):
    """Something that was acknowledged is not there, or is there in half."""


def publish(directory: Path, name: str, start: int) -> None:
    """Publish without end: to a name of one's own, to one that all share, and datasets."""
    with Library.open(directory) as library:
        for number in range(start, start + _EVERY):
            value = _value(name, number)
            document = name if number % 2 else "shared"
            put = library.documents.put(document, value, title=name, datasets=(name,), author=name, keep=_EVERY)
            _say({"document": document, "version": put.version, "number": number})
            with library.datasets.begin() as upload:
                upload.write(_rows(name, number))
                entry = library.datasets.add(name, upload, rows=number, columns=[], format="arrow", owner=name)
            _say({"dataset": name, "version": entry.version, "number": number})
            if number % 5 == 0:
                library.datasets.collect()


def kill_rounds(directory: Path, rounds: int, publishers: int, seed: int) -> Iterator[float]:
    """Kill all publishers at once, at a random moment, again and again; seconds until the library answers after it.

    Raises Lost where a version that was acknowledged is missing or differs, a document or file is half there, or a
    file is left that nothing names.
    """
    rng, told = random.Random(seed), dict[tuple[str, int], tuple[str, int]]()
    for round in range(rounds):
        names = [f"p{number}" for number in range(publishers)]
        lines = _killed(directory, names, (round + 1) * 1_000_000, rng)
        datasets = dict[str, dict[str, Any]]()
        for name, line in lines:
            if "document" in line:
                told[line["document"], line["version"]] = (name, line["number"])
            else:
                datasets[name] = line
        start = time.perf_counter()
        with Library.open(directory, serve=True) as library:
            library.documents.page(OPERATOR)
            yield time.perf_counter() - start
            _check_documents(library, told, everything=round == rounds - 1)
            _check_datasets(library, datasets)
        _check_database(directory)


def _killed(directory: Path, names: list[str], start: int, rng: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """What publishers were told before they were killed: at some number of answers of one of them, or at once."""
    command = [sys.executable, "-m", "bench.kills", str(directory)]
    children = [subprocess.Popen([*command, name, str(start)], cwd=ROOT, stdout=subprocess.PIPE) for name in names]
    watched: IO[bytes] | None = children[0].stdout
    assert watched is not None
    lines = [line for _ in range(rng.randrange(_MOST_PUBLISHED)) if (line := watched.readline())]
    time.sleep(rng.random() * _LATEST)
    for child in children:
        child.send_signal(signal.SIGKILL)
    texts = [child.communicate()[0] for child in children]
    if any(child.returncode != -signal.SIGKILL for child in children):
        raise Lost(f"a publisher ended by itself: {[child.returncode for child in children]}")
    texts[0] = b"".join(lines) + texts[0]
    whole = [(name, text[: text.rfind(b"\n") + 1]) for name, text in zip(names, texts, strict=True)]
    return [(name, json.loads(line)) for name, text in whole for line in text.splitlines()]


def _check_documents(library: Library, told: dict[tuple[str, int], tuple[str, int]], everything: bool) -> None:
    """Acknowledged versions are what was published; those nobody was told of are whole, and few."""
    current = {each.name: each.version for each in library.documents.page(OPERATOR, limit=1_000)[0]}
    for name, version in told:
        if version > current.get(name, 0):
            raise Lost(f"version {version} of {name} was acknowledged and is not there")
    for name in current:
        versions = [each.version for each in library.documents.versions(name)]
        if versions != list(range(len(versions), 0, -1)):
            raise Lost(f"{name} has the versions {versions}")
        for version in versions if everything else versions[: 5 * _MOST_PUBLISHED]:
            found = library.documents.get(name, version).value
            if found != _value(found["who"], found["number"]):
                raise Lost(f"version {version} of {name} is half there")
            if told.get((name, version), (found["who"], found["number"])) != (found["who"], found["number"]):
                raise Lost(f"version {version} of {name} is not what was acknowledged")


def _check_datasets(library: Library, told: dict[str, dict[str, Any]]) -> None:
    """Names lead to whole files, and after collecting there are no others."""
    for name, line in told.items():
        entry = library.datasets.entry(name)
        if entry.version < line["version"] or (entry.version == line["version"] and entry.rows != line["number"]):
            raise Lost(f"version {line['version']} of the dataset {name} was acknowledged and is not there")
    library.datasets.collect()
    entries = library.datasets.page(OPERATOR, limit=1_000)[0]
    for entry in entries:
        content = entry.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != entry.hash or content != _rows(entry.name, entry.rows):
            raise Lost(f"the file of the dataset {entry.name} is half there")
    there = {path.name for folder in ("files", "incoming") for path in (library.directory / folder).iterdir()}
    if there != {entry.path.name for entry in entries}:
        raise Lost(f"files that nothing names: {there - {entry.path.name for entry in entries}}")


def _check_database(directory: Path) -> None:
    connection = sqlite3.connect(directory / "library.sqlite")
    found = [connection.execute(f"PRAGMA {name}").fetchone() for name in ("integrity_check", "foreign_key_check")]
    connection.close()
    if found != [("ok",), None]:
        raise Lost(f"the database is damaged: {found}")


def _value(who: str, number: int) -> dict[str, Any]:
    return {"who": who, "number": number, "filler": f"{who}{number}" * 1_000}


def _rows(who: str, number: int) -> bytes:
    return f"{who}{number}".encode() * 2_000


def _say(line: dict[str, Any]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    publish(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
