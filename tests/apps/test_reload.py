"""Noticing that a script or a module next to it has changed."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from bigviz.apps.reload import Watch

from ..patience import PATIENCE


def replaced(path: Path, text: str) -> None:
    """Write as editors do: aside, then rename. The time of change is another in any file system."""
    aside = path.with_name("aside")
    aside.write_text(text)
    ahead = time.time() + 10
    os.utime(aside, (ahead, ahead))
    os.replace(aside, path)


def old(path: Path, text: str = "1") -> Path:
    """A file that was written before anything began."""
    path.write_text(text)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


async def changed(watch: Watch) -> None:
    """Waits for a change."""
    await asyncio.wait_for(watch.changed(), PATIENCE)


async def rests(watch: Watch) -> None:
    """No change is noticed for some looks."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watch.changed(), 0.1)


def test_each_change_is_noticed_once(tmp_path: Path):
    path, module = old(tmp_path / "app.py"), old(tmp_path / "module.py")

    async def watched() -> None:
        watch = Watch(str(path), 0.01)
        watch.cover([str(module)])
        await rests(watch)
        for each, text in ((path, "22"), (path, "333"), (module, "4444")):
            replaced(each, text)
            await changed(watch)
            await rests(watch)
        watch.cover([])
        replaced(module, "55555")
        await rests(watch)

    asyncio.run(watched())


def test_what_is_saved_during_the_run_counts(tmp_path: Path):
    path, known, unknown = (old(tmp_path / name) for name in ("app.py", "known.py", "unknown.py"))

    async def watched() -> None:
        watch = Watch(str(path), 0.01)
        watch.cover([str(known)])
        for each in (path, known, unknown):
            replaced(each, "saved during the run")
            watch.cover([str(known), str(unknown)])
            await changed(watch)
            await rests(watch)

    asyncio.run(watched())


def test_files_that_vanish_and_come(tmp_path: Path):
    path, missing = old(tmp_path / "app.py"), tmp_path / "missing.py"

    async def watched() -> None:
        watch = Watch(str(path), 0.01)
        watch.cover([str(missing)])
        path.unlink()
        await rests(watch)
        old(path)
        await rests(watch)  # the same file as before
        missing.write_text("")
        await changed(watch)
        replaced(path, "another")
        await changed(watch)

    asyncio.run(watched())
