"""Files on their way: whole and on the disk, or gone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bigviz.common.errors import NoSpace
from bigviz.library.uploads import Upload, drop_left_over


def test_what_is_written_is_what_is_digested(tmp_path):
    with Upload(tmp_path) as upload:
        pieces = [os.urandom(size) for size in (0, 1, 70_000, (1 << 20) + 1)]
        for piece in pieces:
            upload.write(memoryview(piece))
        whole = b"".join(pieces)
        assert upload.path.read_bytes() == whole
        assert upload.digest() == (hashlib.sha256(whole).hexdigest(), len(whole))
        assert upload.path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == []
    upload.abort()  # a second time changes nothing


def test_another_process_may_write_it(tmp_path):
    with Upload(tmp_path) as upload:
        upload.write(b"as it came")
        upload.path.write_bytes(b"as it is kept")
        assert upload.digest() == (hashlib.sha256(b"as it is kept").hexdigest(), 13)
        upload.keep(tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes() == b"as it is kept" and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_nothing(tmp_path):
    upload = Upload(tmp_path)
    full = os.open("/dev/full", os.O_RDWR)
    os.dup2(full, upload._descriptor)
    os.close(full)
    with pytest.raises(NoSpace, match="Nothing was kept"):
        upload.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_limit_on_files_is_a_full_disk(tmp_path):
    code = f"""
import resource
from pathlib import Path
from bigviz.common.errors import NoSpace
from bigviz.library.uploads import Upload
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
upload = Upload(Path({str(tmp_path)!r}))
try:
    upload.write(bytes(2_000_000))
except NoSpace:
    print("no space")
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "no space\n" and list(tmp_path.iterdir()) == []


def test_only_those_of_processes_that_ended_are_left_over(tmp_path):
    code = f"""
import os
from pathlib import Path
from bigviz.library.uploads import Upload
Upload(Path({str(tmp_path)!r})).write(b"half")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    left = list(tmp_path.iterdir())
    assert [path.read_bytes() for path in left] == [b"half"]
    with Upload(tmp_path) as upload:
        assert drop_left_over(tmp_path) == 1 and not left[0].exists() and upload.path.exists()
    assert drop_left_over(tmp_path) == 0


def test_one_that_is_taken_for_a_left_over_is_made_again(tmp_path, monkeypatch):
    """Between making a file and locking it somebody may remove it."""
    made, real = [], os.open

    def opened(path: Path, *args: int) -> int:
        descriptor = real(path, *args)
        made.append(path)
        if len(made) == 1:
            os.unlink(path)
        return descriptor

    monkeypatch.setattr("bigviz.library.uploads.os.open", opened)
    with Upload(tmp_path) as upload:
        assert len(made) == 2 and upload.path == made[1]
        upload.write(b"one")
        assert upload.path.read_bytes() == b"one"


def test_a_file_that_is_removed_is_written_no_more(tmp_path):
    upload = Upload(tmp_path)
    descriptor = upload._descriptor
    upload.abort()
    (tmp_path / "other").touch()
    with (tmp_path / "other").open("wb") as other:
        assert other.fileno() == descriptor  # which is another file's by now
        upload.write(b"late")
    assert (tmp_path / "other").read_bytes() == b""


def test_links_are_not_followed(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0123456789ab").symlink_to(tmp_path / "kept" / "file")
    (tmp_path / "in" / "0123456789ac").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in" / "0123456789ad").mkdir()
    drop_left_over(tmp_path / "in")
    assert (tmp_path / "kept" / "file").exists()
    assert [each.name for each in (tmp_path / "in").iterdir()] == ["0123456789ad"]
