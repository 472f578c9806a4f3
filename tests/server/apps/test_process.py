"""The process of an app: what it hands over, how it fails, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.apps.process.handover import described_tables, opened_table
from bigviz.apps.script_failure import ScriptFailed
from bigviz.server.apps import fork_server, process
from bigviz.server.apps.process import AppProcess, Ready

from ...patience import PATIENCE, until

SCRIPT = """
import os
import bigviz as bv
paths = bv.figure().points("t.csv", "x", "y")
os.chdir("/")
memory = bv.figure().points({"a": [1, 2], "b": ["u", "v"]}, "a", "a")
bv.serve(bv.row(paths, memory), on_append=print)
"""


def run(
    work: Callable[[AppProcess], Awaitable[None]], path: Path, told: list[Any] | None = None, memory: int = 1 << 30
) -> None:
    async def main() -> None:
        hear = [].append if told is None else told.append
        process = AppProcess("app", str(path), memory, lambda *what: None, lambda *what: hear(what), print)
        try:
            await work(process)
        finally:
            await process.close()
            assert process._directory is not None and not process._directory.exists()

    asyncio.run(main())


def test_tables_are_opened_by_their_paths_or_come_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("x,y\n1,2\n3,4\n")
    Path("app.py").write_text(SCRIPT)
    told: list[Any] = [()]

    async def work(process: AppProcess) -> None:
        ready = await process.start()
        table, memory = (ready.document.sources[name] for name in ready.document.datasets)
        assert table.num_rows == memory.num_rows == 2  # type: ignore[attr-defined]
        assert [file.path for file in table.files] == [str(tmp_path / "t.csv")] and not memory.files  # type: ignore[attr-defined]
        assert memory.schema.names == ["a", "b"] and ready.appends  # type: ignore[attr-defined]
        assert ("reading t.csv", 1.0, 2) in told
        again = process._opened({"document": ready.document.to_json(), "tables": dict(ready.tables), "files": [],
                                 "handlers": {}, "appends": False}, ready)  # fmt: skip
        assert again.document.sources == ready.document.sources, "equal tables are not opened again"
        Path("t.csv").write_text("x,y\n1,2\n3,4\n5,6\n")
        one = {name: each for name, each in ready.tables.items() if "origin" in each}
        newer: Ready = process._opened({"document": {**ready.document.to_json()}, "tables": {**ready.tables, **one},
                                        "files": [], "handlers": {}, "appends": False}, ready)  # fmt: skip
        name = next(iter(one))
        assert newer.document.sources[name].num_rows == 3  # type: ignore[attr-defined]

    run(work, tmp_path / "app.py", told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os; os._exit(4)", "The app ended itself with exit code 4 while its script ran."),
        ("import bigviz as bv\nbv.serve(bv.figure().points('no such file', 'x', 'y'))", "There is no file 'no such"),
        ("import bigviz as bv\nb = bv.button('go', 'Go')\nb.on_click(print)\n"
         "bv.serve(bv.figure().points({'x': [1]}, 'x', 'x'))", "on_click of a control that is not in the document"),
    ],
)  # fmt: skip
def test_a_script_that_cannot_be_served(tmp_path: Path, text: str, words: str):
    (tmp_path / "app.py").write_text(text)

    async def work(process: AppProcess) -> None:
        with pytest.raises(ScriptFailed) as failed:
            await process.start()
        assert words in failed.value.failure.message and failed.value.failure.file == "app.py"
        await process.ended

    run(work, tmp_path / "app.py")


def test_tables_in_memory_go_through_a_file(tmp_path: Path):
    table = pa.table({"x": [1.5, None], "kind": pa.array(["a", None]).dictionary_encode(), "list": [[1], []]})
    pq.write_table(table, tmp_path / "t.parquet")
    memory, path = bv.open(table, name="memory"), bv.open(tmp_path / "t.parquet", name="path")
    made = bv.document(bv.row(bv.figure().points(memory, "x", "x"), bv.figure().points(path, "x", "x")))
    described = described_tables(made, tmp_path)
    assert described["memory"]["digest"] == described_tables(made, tmp_path)["memory"]["digest"]
    for name, dataset in made.sources.items():
        opened = opened_table(name, described[name], tmp_path)
        assert opened.schema == dataset.schema and opened.take([1, 0], ["x", "kind", "list"]).to_pylist() == [
            {"x": None, "kind": None, "list": []}, {"x": 1.5, "kind": "a", "list": [1]}]  # type: ignore[attr-defined] # fmt: skip
        assert [each.reason for each in opened.columns()] == [each.reason for each in dataset.columns()]  # type: ignore[attr-defined]
    assert sorted(os.listdir(tmp_path)) == ["t.parquet"], "the file of a table that is mapped is gone"


DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print("child", os.getpid(), flush=True)
        held = bytearray(b"1") * (MEGABYTES << 20)
        time.sleep(1000)
    os._exit(0)
os.wait()
"""
LEAVES = f"""
import subprocess, sys, threading
import bigviz as bv
{DAEMON.replace("MEGABYTES", "1")}
found = bv.figure().points({{"x": [1]}}, "x", "x")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print("child", child.pid)
def later():
    while not os.path.exists("GO"):
        time.sleep(0.01)
    for fd in range(3, 200):
        try:
            if os.readlink(f"/proc/self/fd/{{fd}}").startswith("socket:"):
                FAULT
        except OSError:
            pass
threading.Thread(target=later, daemon=True).start()
bv.serve(found)
"""
FAULTS = {
    # The app then reads the end of its connection and ends itself, which may be noticed first.
    "import socket; socket.socket(fileno=fd).shutdown(1); time.sleep(1000)": (
        "closed its connection to the server",
        "ended itself with exit code 0",
    ),
    "os.write(fd, bytes([2] + [0] * 11) + b'{}')": ("sent the server something that is no message",),
    "os._exit(5)": ("ended itself with exit code 5",),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_process_that_is_not_heard_any_more_is_ended_with_all_that_it_started(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "_SECONDS_TO_END", 0.5)
    (tmp_path / "app.py").write_text(LEAVES.replace("FAULT", fault).replace("GO", str(tmp_path / "go")))
    lines: list[str] = []

    async def work() -> str:
        found = AppProcess("app", str(tmp_path / "app.py"), 1 << 30, take, lambda *what: None, lines.append)
        try:
            await found.start()
            (tmp_path / "go").touch()  # before it is ready, it would be a script that failed
            return await asyncio.wait_for(found.ended, PATIENCE)
        finally:
            await found.close()

    def take(message: dict[str, Any]) -> None:
        message["op"]

    assert asyncio.run(work()) in FAULTS[fault]
    children = [int(line.split()[1]) for line in lines if line.startswith("child")]
    assert len(children) == 2, "one of them is a daemon"
    for child in children:
        until(lambda pid=child: not alive(pid))


FORKS = f"""{DAEMON.replace("MEGABYTES", "120")}
import subprocess, sys
import bigviz as bv
hold = "held = bytearray(b'1') * (120 << 20); import time; time.sleep(1000)"
subprocess.Popen([sys.executable, "-c", hold], start_new_session=True)
bv.serve(bv.figure().points({{"x": [1]}}, "x", "x"))
"""


ENDS = """
import os, subprocess
import bigviz as bv
children = [subprocess.Popen(["sh", "-c", f"exit {k}"]) for k in range(4)]
for _ in range(20):
    parent = os.fork()
    if parent == 0:
        if os.fork() == 0:
            print("daemon", os.getpid(), flush=True)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1]) == 7
print("codes", *(child.wait() for child in children), flush=True)
bv.serve(bv.figure().points({"x": [1]}, "x", "x"))
"""


def test_daemons_that_end_leave_no_zombies_and_the_app_gets_the_codes_of_its_own_children(tmp_path: Path):
    (tmp_path / "app.py").write_text(ENDS)
    lines: list[str] = []

    async def main() -> None:
        nothing: Callable[..., None] = lambda *what: None  # noqa: E731
        process = AppProcess("app", str(tmp_path / "app.py"), 1 << 30, nothing, nothing, lines.append)
        await process.start()
        await asyncio.to_thread(until, lambda: sum(line.startswith("daemon") for line in lines) == 20)
        daemons = [int(line.split()[1]) for line in lines if line.startswith("daemon")]
        await asyncio.to_thread(until, lambda: not any(Path(f"/proc/{pid}").exists() for pid in daemons))
        assert not process.ended.done() and "codes 0 1 2 3" in lines
        await process.close()

    asyncio.run(main())


def test_an_app_and_what_it_starts_hold_no_more_memory_together(tmp_path: Path):
    (tmp_path / "app.py").write_text(FORKS)

    async def work(process: AppProcess) -> None:
        with suppress(ScriptFailed):  # it may be ended before it is ready
            await process.start()
        words = await asyncio.wait_for(process.ended, PATIENCE)
        assert words == "took more than 200 MiB of memory with the processes that it started"

    run(work, tmp_path / "app.py", memory=200 << 20)


def test_apps_end_with_the_process_that_they_are_forked_from_and_another_takes_its_place(tmp_path: Path):
    (tmp_path / "app.py").write_text("import bigviz as bv; bv.serve(bv.figure().points({'x': [1]}, 'x', 'x'))")

    async def work(process: AppProcess) -> None:
        await process.start()
        parent = fork_server._link()
        os.kill(parent._process.pid, signal.SIGKILL)
        assert (await asyncio.wait_for(process.ended, PATIENCE)).startswith("was ended by SIGKILL")
        assert process._process is not None
        pid = process._process.pid
        until(lambda: not alive(pid))
        again = AppProcess("app", process.path, 1 << 30, lambda *what: None, lambda *what: None, print)
        await again.start()
        await again.close()
        assert fork_server._link() is not parent

    run(work, tmp_path / "app.py")


def test_tables_of_an_app_are_removed_though_its_server_was_killed(tmp_path: Path):
    link, ends = fork_server._Link(), socket.socketpair()
    for name in ("ended", "going on"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.arrow").write_bytes(b"rows")
    link.fork(ends[1], 1, 1 << 30, tmp_path / "ended").kill()
    until(lambda: not (tmp_path / "ended").exists())
    link.fork(ends[1], 1, 1 << 30, tmp_path / "going on")
    link._close()  # what the end of a process does to its sockets
    for end in ends:
        end.close()
    until(lambda: not (tmp_path / "going on").exists())


def test_a_start_that_is_given_up_or_cannot_be_asked_for_leaves_nothing_behind(tmp_path: Path):
    script = tmp_path / "app.py"
    script.write_text("import bigviz as bv; bv.serve(bv.figure().points({'x': [1]}, 'x', 'x'))")
    closed = socket.socket()
    closed.close()

    async def work(process: AppProcess) -> None:
        await process.start()
        link = fork_server._link()
        before, descriptors = set(link._forked), len(os.listdir("/proc/self/fd"))
        given_up = AppProcess("app", str(script), 1 << 30, lambda *what: None, lambda *what: None, print)
        start = asyncio.ensure_future(given_up.start())
        await asyncio.sleep(0)
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        assert given_up._directory is not None and not given_up._directory.exists()
        with pytest.raises(OSError, match="Bad file descriptor"):
            link.fork(closed, 1, 1 << 30, tmp_path)
        again = AppProcess("app", str(script), 1 << 30, lambda *what: None, lambda *what: None, print)
        await asyncio.wait_for(again.start(), PATIENCE)  # not with the answer to the one that was not asked
        assert not link._asked
        await again.close()
        await asyncio.to_thread(until, lambda: set(link._forked) == before)
        await asyncio.to_thread(until, lambda: len(os.listdir("/proc/self/fd")) <= descriptors + 1)

    run(work, script)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"document": 1}, "expected an object, got 1"),
        ({"tables": None}, "What the app made cannot be read: "),
        ({"tables": {"t": {"file": "none.arrow", "digest": "", "unusable": {}}}}, "What the app made cannot be read: "),
    ],
)
def test_what_is_no_document_is_a_script_that_fails(tmp_path: Path, facts: dict[str, Any], words: str):
    made = bv.document(bv.figure().points(pa.table({"x": [1]}), "x", "x"))
    message = {"document": made.to_json(), "tables": {}, "files": [], "handlers": {}, "appends": False, **facts}

    async def main() -> None:
        found = AppProcess("app", str(tmp_path / "app.py"), 1, lambda *what: None, lambda *what: None, print)
        found._directory = tmp_path
        with pytest.raises(ScriptFailed, match=words):
            found._opened(message, None)

    asyncio.run(main())


def alive(pid: int) -> bool:
    """Whether a process goes on; one that has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # gone before it is opened, or before it is read
        return False
