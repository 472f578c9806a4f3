"""The logs of datasets: what the database knows of them, and that a name leads to its own log alone."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bigviz.common.errors import Conflict, NotFound, Unreadable
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.snapshot import Snapshot
from bigviz.library.library import Library
from bigviz.library.streams import Streams

from ..patience import PATIENCE

TABLE = pa.table({"x": [1.0, 2.0]})


def opened(directory: Path) -> Library:
    library = Library.open(directory, serve=True)
    library.datasets.recover(lambda database, folder: Streams(database, folder, "fsync"))
    return library


def put(library: Library, table: pa.Table = TABLE, name: str = "rows", **options: bool) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with library.datasets.begin() as upload:
        upload.write(sink.getvalue())
        columns = [{"name": each.name, "type": str(each.type)} for each in table.schema]
        library.datasets.add(name, upload, rows=2, columns=columns, format="arrows", owner=None, **options)


def append(library: Library, rows: int = 3, name: str = "rows") -> int:
    log = library.datasets.streams.stream(name).log
    batch = pa.record_batch({"x": [0.5] * rows})
    return log.commit([Entry(batch.serialize().to_pybytes(), rows)], 1)[0].version  # type: ignore[union-attr]


@pytest.fixture
def library(tmp_path: Path):
    with opened(tmp_path / "library") as found:
        put(found)
        yield found


def test_what_was_appended_is_known_after_a_crash(tmp_path: Path):
    library = opened(tmp_path / "library")
    put(library)
    assert append(library) == 2 and append(library) == 3
    entry = library.datasets.entry("rows")
    assert (entry.version, entry.rows) == (3, 8) and entry.log is not None
    with Library.open(tmp_path / "library") as other:  # as the database knows it, which was not told yet
        assert other.datasets.entry("rows").version == 1
    assert library._lock is not None
    library._lock.release()  # a crash: nothing is written down
    with opened(tmp_path / "library") as again:
        found = again.datasets.entry("rows")
        assert (found.version, found.rows, found.bytes, found.log) == (3, 8, entry.bytes, entry.log)
        again.datasets.streams.settle()
        with Library.open(tmp_path / "library") as other:
            assert (other.datasets.entry("rows").version, other.datasets.entry("rows").rows) == (3, 8)
        assert append(again) == 4
    library.close()


def test_a_log_that_lost_what_the_database_knows_is_refused(tmp_path: Path):
    with opened(tmp_path / "library") as library:
        put(library)
        append(library)
    (log,) = (tmp_path / "library" / "streams").rglob("*.log")
    log.write_bytes(log.read_bytes()[:-8])
    with opened(tmp_path / "library") as library:  # other datasets go on
        with pytest.raises(Unreadable, match="was acknowledged"):
            append(library)
        assert library.datasets.entry("rows").rows == 5


def test_replacing_ends_a_log(library):
    append(library)
    log = library.datasets.streams.stream("rows").log
    put(library)
    entry = library.datasets.entry("rows")
    assert (entry.version, entry.rows, entry.log) == (3, 2, None)  # equal to the upload, and still another version
    with pytest.raises(Conflict, match="replaced"):
        log.commit([], 1)
    assert append(library) == 4
    library.datasets.collect()
    assert len(list((library.directory / "streams").iterdir())) == 1


def test_a_name_that_was_taken_away_by_another_process(library):
    append(library)
    with Library.open(library.directory) as other:
        other.datasets.delete("rows")
    with pytest.raises(NotFound):
        append(library)
    put(library)
    assert library.datasets.entry("rows").rows == 2
    append(library, rows=1)
    assert library.datasets.entry("rows").rows == 3


def test_columns_of_one_name(library):
    put(library, pa.table([pa.array([1.0]), pa.array([2.0])], names=["x", "x"]))
    with pytest.raises(Conflict, match="several columns"):
        append(library)


def test_nobody_waits_for_logs_that_are_written_down_or_opened(library: Library, monkeypatch: pytest.MonkeyPatch):
    append(library)
    streams = library.datasets.streams
    begun, go_on = threading.Event(), threading.Event()
    sync, opened_log = AppendLog.sync, AppendLog.open

    def slow(log: AppendLog) -> Snapshot:
        begun.set()
        assert go_on.wait(PATIENCE)
        return sync(log)

    def slow_open(*values: Any, **options: Any) -> AppendLog:
        begun.set()
        assert go_on.wait(PATIENCE)
        return opened_log(*values, **options)

    monkeypatch.setattr(AppendLog, "sync", slow)
    settling = threading.Thread(target=streams.settle)
    settling.start()
    assert begun.wait(PATIENCE)
    assert append(library) == 3
    go_on.set()
    settling.join(PATIENCE)
    streams.settle()
    with library.datasets._database.read() as db:
        assert db.execute("SELECT log_version FROM datasets").fetchone() == (3,)
    put(library, name="others")
    assert append(library, name="others") == 2
    streams.close()
    begun.clear()
    go_on.clear()
    monkeypatch.setattr(AppendLog, "open", slow_open)
    opening = threading.Thread(target=lambda: append(library))
    opening.start()
    assert begun.wait(PATIENCE)
    monkeypatch.setattr(AppendLog, "open", opened_log)
    assert append(library, name="others") == 3
    go_on.set()
    opening.join(PATIENCE)
    assert append(library) == 5
